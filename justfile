# Each recipe is one cargo command: nobody needs just.

# the recipes
default:
    @just --list

# all tests of all crates
test *ARGS:
    cargo test {{ARGS}}

# clippy as CI runs it
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# format everything
fmt:
    cargo fmt --all

# the documentation of all crates
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace

# of_xlate log of a board: just boot scenarios/boards/one-client.dts --kernel v6.16
boot *ARGS:
    cargo run -- boot {{ARGS}}

# verdicts: just check scenarios/basics
check *ARGS:
    cargo run -- check {{ARGS}}

# how an outcome comes about: just explain SCENARIO --kernel REV
explain *ARGS:
    cargo run -- explain {{ARGS}}

# one schedule, step by step: just replay SCENARIO --kernel REV SCHEDULE
replay *ARGS:
    cargo run -- replay {{ARGS}}

# one scenario under every engine and under SPIN, as a table: just peers --seconds 10
peers *ARGS:
    cargo bench -p scenarios --bench peers -- {{ARGS}}

# the commits that --kernel can name
kernels:
    cargo run -- kernels

# write the snapshots anew; then look at `git diff` and be able to say why each line moved
snapshots-accept:
    INSTA_UPDATE=always cargo test
