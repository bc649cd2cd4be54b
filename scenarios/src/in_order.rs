//! Many pieces of work by several threads, and what came of them in order.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

/// Hands each item to `work`, on so many threads. `finished` is called for each that is done, and
/// `each` with its number and what came of it, in the order of the items. A thread that gets `None`
/// takes no more; what lies behind the first item without a result is not given back.
pub fn in_order<T: Sync, R: Send + Sync>(
    items: &[T],
    workers: usize,
    work: impl Fn(&T) -> Option<R> + Sync,
    mut finished: impl FnMut(),
    mut each: impl FnMut(usize, &R),
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    let (send, results) = channel();
    std::thread::scope(|scope| {
        for _ in 0..workers.clamp(1, items.len().max(1)) {
            let send = send.clone();
            let (next, done, work) = (&next, &done, &work);
            scope.spawn(move || {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(result) = items.get(n).and_then(work) else {
                        return;
                    };
                    // Each number is taken once, so the place is free.
                    let _ = done[n].set(result);
                    let _ = send.send(());
                }
            });
        }
        drop(send);
        let mut shown = 0;
        for () in results {
            finished();
            while let Some(result) = done.get(shown).and_then(OnceLock::get) {
                each(shown, result);
                shown += 1;
            }
        }
    });
    done.into_iter().map_while(OnceLock::into_inner).collect()
}
