//! Prints marks (throw-away).
use checker::engine::exhaustive::{Options, explore};
use checker::model::Model;
use kernel::{config::Config, model::Start, revision::Revision};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let b = scenarios::board::load(std::path::Path::new(&a[1])).unwrap();
    let mut config = Config::default();
    config.async_probe.insert("*".into());
    let k = scenarios::setup::kernel(&b, Revision::parse(&a[2]).unwrap(), config, |_| Start::Boot)
        .unwrap();
    let r = explore(
        &k,
        &Options {
            max_states: a[3].parse().unwrap(),
            ..Options::default()
        },
    );
    for c in r.marks.marked_cells() {
        println!("cell {}", k.layout().cell_name(c));
    }
    for c in r.marks.marked_locks() {
        println!("lock {}", k.layout().lock_name(c));
    }
}
