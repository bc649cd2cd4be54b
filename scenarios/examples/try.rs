use checker::engine::exhaustive::run_default;
use kernel::{board::Board, config::Config, kernel::Kernel, model::Start, revision};
use std::sync::Arc;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let b = scenarios::board::load(std::path::Path::new(&a[1])).unwrap();
    let mut config = Config::default();
    config.allow.insert("ee300000.sata".into());
    for m in &a[3..] {
        config.loaded_modules.push(m.clone());
    }
    let board = Board::new(&b.tree, &config).unwrap();
    let k = Arc::new(Kernel::new(
        revision::Revision::parse(&a[2]).unwrap(),
        config,
        board,
        Start::Boot,
    ));
    let t = run_default(&k);
    for e in &t.events {
        if let checker::event::What::Note { kind, text } = &e.what {
            if ["of_xlate", "WARN", "Oops", "level", "BUG"].contains(kind) {
                println!("{kind}: {text}");
            }
        }
    }
    println!("{:?} {:?}", t.limit, t.end.deadlock);
    println!("{}", t.events.len());
}
