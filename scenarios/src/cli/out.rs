//! Standard output, whose reader may go away: `probe-litmus check ... | head`.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell says of a program that died of SIGPIPE.
const READER_IS_GONE: i32 = 128 + 13;

static QUIET: AtomicBool = AtomicBool::new(false);

/// Writes, as `print!` does. If nobody reads it any more, the program ends without a word; any other
/// trouble is said on stderr.
pub(crate) fn write(text: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    match out.write_fmt(text).and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(READER_IS_GONE),
        Err(error) => {
            eprintln!("standard output: {error}");
            std::process::exit(i32::from(super::BAD_INPUT));
        }
    }
}

/// From now on nothing is said on the terminal but results.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether only results are wanted.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}
