# Each recipe but check-shards, debian-boards and corpus is one cargo command: nobody needs just.

# the recipes
default:
    @just --list

# all tests of all crates
test *ARGS:
    cargo test {{ARGS}}

# each switch of the engine on all scenarios with higher bounds; some minutes
reductions-full *ARGS:
    cargo test -p scenarios --test reductions -- --ignored {{ARGS}}

# clippy as CI runs it
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# format everything
fmt:
    cargo fmt --all

# the engine under Valgrind (x86-64): copies of stacks, and the heap; some minutes
valgrind:
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --error-exitcode=9 --quiet" \
        cargo test -p checker --test all planted_bugs engines_agree exhaustive

# the engine under AddressSanitizer (nightly, x86-64): the heap; stacks are copied, so their frames
# are not looked at
asan:
    RUSTFLAGS="-Zsanitizer=address -Cllvm-args=-asan-stack=0" \
    LSAN_OPTIONS="suppressions=$PWD/model/checker/tests/lsan.supp" \
        cargo +nightly test --target x86_64-unknown-linux-gnu --target-dir target/asan \
        -p checker --test all

# the documentation of all crates
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace

# of_xlate log of a board: just boot scenarios/boards/one-client.dts --kernel v6.16
boot *ARGS:
    cargo run -- boot {{ARGS}}

# verdicts: just check scenarios/basics
check *ARGS:
    cargo run -- check {{ARGS}}

# check in N programs at a time, put together again: just check-shards 4 scenarios/basics
check-shards N *ARGS:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --quiet
    program="${CARGO_TARGET_DIR:-target}/debug/probe-litmus"
    folder=$(mktemp -d)
    trap 'rm -r "$folder"' EXIT
    export program folder
    seq 1 {{N}} | xargs -P {{N}} -I I sh -c \
        '"$program" check --workers 1 --shard I/{{N}} {{ARGS}} > "$folder/I" || [ $? = 1 ]'
    "$program" merge "$folder"/*

# how an outcome comes about: just explain SCENARIO --kernel REV
explain *ARGS:
    cargo run -- explain {{ARGS}}

# one schedule, step by step: just replay SCENARIO --kernel REV SCHEDULE
replay *ARGS:
    cargo run -- replay {{ARGS}}

# what a patch changes: just review bcb81ac6ae3c^..bcb81ac6ae3c
[positional-arguments]
review *ARGS:
    cargo run -- review "$@"

# what scenarios say, as pages: just report -o report, then open report/index.html
report *ARGS:
    cargo run -- report {{ARGS}}

# the whole search, in release mode, with a scenario for each finding: just search found
search DIR *ARGS:
    cargo run --release -- search -o {{DIR}} {{ARGS}}

# modelled steps that no scenario reaches: just coverage
coverage *ARGS:
    cargo run -- coverage {{ARGS}}

# the row of a patch to review: just new-patch my-patch --subject "iommu: ..." --effect "..."
[positional-arguments]
new-patch NAME *ARGS:
    @cargo run --quiet -- new-patch "$@"

# one scenario under every engine and under SPIN, as a table: just peers --seconds 10
peers *ARGS:
    cargo bench -p scenarios --bench peers -- {{ARGS}}

# the commits that --kernel can name
kernels:
    cargo run -- kernels

# write the snapshots anew; then look at `git diff` and be able to say why each line moved
snapshots-accept:
    INSTA_UPDATE=always cargo test

# a row for each device tree of the folders: just boards scenarios/boards
boards *ARGS:
    cargo run -- boards {{ARGS}}

# the same for all blobs of one Debian package for arm64, as root on Debian: docs/boards.md
debian-boards PACKAGE *ARGS:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --quiet
    program="${CARGO_TARGET_DIR:-$PWD/target}/debug/probe-litmus"
    folder=$(mktemp -d)
    trap 'rm -r "$folder"' EXIT
    dpkg --add-architecture arm64
    apt-get update -qq
    cd "$folder"
    apt-get download -qq "{{PACKAGE}}:arm64"
    dpkg-deb -x ./*.deb .
    "$program" boards . {{ARGS}}

# fuzz the reader of blobs and the boot: just fuzz-dtb -max_total_time=600
fuzz-dtb *ARGS:
    cargo +nightly fuzz run --sanitizer none dtb -- {{ARGS}}

# the boards of the fuzzer's corpus anew from their sources
corpus:
    for f in scenarios/tests/boards/*.dts; do \
        dtc -q -I dts -O dtb -o "fuzz/corpus/dtb/$(basename "$f" .dts).dtb" "$f"; \
    done
