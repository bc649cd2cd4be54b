//! Most tests of this folder in one program.

mod files;
mod random;

mod acpi;
mod async_outcomes;
mod bad_input;
mod boards;
mod created_again;
mod formats;
mod main_job;
mod museum;
mod readme;
mod report;
mod resume;
mod review;
mod search;
mod shards;
mod tudor;

/// A file that no program names would never run.
#[test]
fn no_file_is_left_out() {
    let programs = [
        include_str!("all.rs"),
        include_str!("models.rs"),
        include_str!("scenarios.rs"),
    ];
    let manifest = include_str!("../Cargo.toml");
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
    let files = folder
        .expect("the folder")
        .map(|e| e.expect("a file").path());
    for file in files.filter(|f| f.extension().is_some_and(|e| e == "rs")) {
        let name = file.file_stem().expect("a name").to_string_lossy();
        let module = format!("mod {name};");
        let is_module = programs.iter().any(|p| p.lines().any(|l| l == module));
        let is_program = manifest.lines().any(|l| l == format!("name = \"{name}\""));
        assert!(
            is_module || is_program,
            "{}: expected `{module}` in all.rs or models.rs or a [[test]] in Cargo.toml",
            file.display()
        );
    }
}
