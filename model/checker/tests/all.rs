//! The tests of this folder in one program. Engines are generic, and each program that runs one
//! compiles it anew.

mod programs;
#[path = "programs/random.rs"]
mod random;
mod weak;

mod dpor;
mod engines_agree;
mod exhaustive;
mod livelock;
mod lock_order;
mod loom_holes;
mod planted_bugs;
mod preemptions;
mod random_programs;
mod resume;
mod rounds;
mod state_graph;
mod weak_engine;
mod weak_herd;
mod weak_litmus;
mod weak_loom;
mod weak_memory;
mod weak_stranded_device;

/// A file that no program names would never run.
#[test]
fn no_file_is_left_out() {
    let (here, manifest) = (include_str!("all.rs"), include_str!("../Cargo.toml"));
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
    let files = folder
        .expect("the folder")
        .map(|e| e.expect("a file").path());
    for file in files.filter(|f| f.extension().is_some_and(|e| e == "rs")) {
        let name = file.file_stem().expect("a name").to_string_lossy();
        let is_module = here.lines().any(|l| l == format!("mod {name};"));
        let is_program = manifest.lines().any(|l| l == format!("name = \"{name}\""));
        assert!(
            is_module || is_program,
            "{}: expected `mod {name};` in all.rs or a [[test]] in Cargo.toml",
            file.display()
        );
    }
}
