//! The table of litmus tests. the verdict is that of the Linux-kernel memory model.

/// How far [`checker::engine::weak`] is from it, and why. Each is a claim of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    None,
    /// The kernel says Never, and here it is Sometimes.
    Weaker(&'static str),
    /// The kernel says Sometimes, and here it is Never.
    Stronger(&'static str),
}
use Deviation::{None, Stronger, Weaker};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Never,
    Sometimes,
}
use Verdict::{Never, Sometimes};

pub type Row = (&'static str, &'static str, &'static str, Verdict, Deviation);

const LB: Deviation = Stronger("no load buffering");

/// tools/memory-model/litmus-tests of v6.12, with the `Result:` that each of them states.
#[rustfmt::skip]
pub const KERNEL: &[Row] = &[
    ("CoRR+poonceonce+Once", "x=1 | r0=x r1=x", "1:r0=1 1:r1=0", Never, None),
    ("CoRW+poonceonce+Once", "r0=x x=1 | x=2", "x=2 0:r0=2", Never, None),
    ("CoWR+poonceonce+Once", "x=1 r0=x | x=2", "x=1 0:r0=2", Never, None),
    ("CoWW+poonceonce", "x=1 x=2", "x=1", Never, None),
    ("IRIW+fencembonceonces+OnceOnce", "x=1 | r0=x mb r1=y | y=1 | r0=y mb r1=x",
     "1:r0=1 1:r1=0 3:r0=1 3:r1=0", Never, None),
    ("IRIW+poonceonces+OnceOnce", "x=1 | r0=x r1=y | y=1 | r0=y r1=x",
     "1:r0=1 1:r1=0 3:r0=1 3:r1=0", Sometimes, None),
    ("ISA2+pooncelock+pooncelock+pombonce",
     "s.lock x=1 y=1 s.unlock | s.lock r0=y z=1 s.unlock | r2=z mb r1=x",
     "1:r0=1 2:r2=1 2:r1=0", Never, None),
    ("ISA2+poonceonces", "x=1 y=1 | r0=y z=1 | r0=z r1=x", "1:r0=1 2:r0=1 2:r1=0", Sometimes, None),
    ("ISA2+pooncerelease+poacquirerelease+poacquireonce", "x=1 y:=1 | r0:=y z:=1 | r0:=z r1=x",
     "1:r0=1 2:r0=1 2:r1=0", Never, None),
    ("LB+fencembonceonce+ctrlonceonce", "r0=x if(r0=1) y=1 fi | r0=y mb x=1", "0:r0=1 1:r0=1",
     Never, None),
    ("LB+poacquireonce+pooncerelease", "r0=x y:=1 | r0:=y x=1", "0:r0=1 1:r0=1", Never, None),
    ("LB+poonceonces", "r0=x y=1 | r0=y x=1", "0:r0=1 1:r0=1", Sometimes, LB),
    ("LB+unlocklockonceonce+poacquireonce", "s.lock r1=x s.unlock t.lock y=1 t.unlock | r2:=y x=1",
     "0:r1=1 1:r2=1", Never, None),
    ("MP+fencewmbonceonce+fencermbonceonce", "x=1 wmb y=1 | r0=y rmb r1=x", "1:r0=1 1:r1=0",
     Never, None),
    ("MP+onceassign+derefonce", "x=1 p:=1 | r0=p if(r0=1) r1=x fi", "1:r0=1 1:r1=0", Never,
     Weaker("address dependencies order nothing")),
    ("MP+polocks", "x=1 s.lock y=1 s.unlock | s.lock r0=y s.unlock r1=x", "1:r0=1 1:r1=0",
     Never, None),
    ("MP+poonceonces", "x=1 y=1 | r0=y r1=x", "1:r0=1 1:r1=0", Sometimes, None),
    ("MP+pooncerelease+poacquireonce", "x=1 y:=1 | r0:=y r1=x", "1:r0=1 1:r1=0", Never, None),
    ("MP+porevlocks", "r0=y s.lock r1=x s.unlock | s.lock x=1 s.unlock y=1", "0:r0=1 0:r1=0",
     Never, None),
    ("MP+unlocklockonceonce+fencermbonceonce",
     "s.lock x=1 s.unlock t.lock y=1 t.unlock | r1=y rmb r2=x", "1:r1=1 1:r2=0", Never, None),
    ("R+fencembonceonces", "x=1 mb y=1 | y=2 mb r0=x", "y=2 1:r0=0", Never, None),
    ("R+poonceonces", "x=1 y=1 | y=2 r0=x", "y=2 1:r0=0", Sometimes, None),
    ("S+fencewmbonceonce+poacquireonce", "x=2 wmb y=1 | r0:=y x=1", "x=2 1:r0=1", Never, None),
    ("S+poonceonces", "x=2 y=1 | r0=y x=1", "x=2 1:r0=1", Sometimes, None),
    ("SB+fencembonceonces", "x=1 mb r0=y | y=1 mb r0=x", "0:r0=0 1:r0=0", Never, None),
    ("SB+poonceonces", "x=1 r0=y | y=1 r0=x", "0:r0=0 1:r0=0", Sometimes, None),
    ("SB+rfionceonce-poonceonces", "x=1 r1=x r2=y | y=1 r3=y r4=x", "0:r2=0 1:r4=0",
     Sometimes, None),
    ("WRC+poonceonces+Once", "x=1 | r0=x y=1 | r0=y r1=x", "1:r0=1 2:r0=1 2:r1=0",
     Sometimes, None),
    ("WRC+pooncerelease+fencermbonceonce+Once", "x=1 | r0=x y:=1 | r0=y rmb r1=x",
     "1:r0=1 2:r0=1 2:r1=0", Never, None),
    ("Z6.0+pooncelock+poonceLock+pombonce",
     "s.lock x=1 y=1 s.unlock | s.lock mb r0=y z=1 s.unlock | z=2 mb r1=x", "1:r0=1 z=2 2:r1=0",
     Never, None),
    ("Z6.0+pooncelock+pooncelock+pombonce",
     "s.lock x=1 y=1 s.unlock | s.lock r0=y z=1 s.unlock | z=2 mb r1=x", "1:r0=1 z=2 2:r1=0",
     Sometimes, None),
    ("Z6.0+pooncerelease+poacquirerelease+fencembonceonce", "x=1 y:=1 | r0:=y z:=1 | z=2 mb r1=x",
     "1:r0=1 z=2 2:r1=0", Sometimes, None),
    ("dep+plain", "r0=x u=r0 r1=u v=r1 r2=v if(r2=1) y=1 fi | r0:=y x:=r0", "x=1 y=1", Never, None),
];

/// The others of that folder, and what they need.
pub const NOT_EXPRESSED: &[(&str, &str)] = &[
    ("MP+polockmbonce+poacquiresilsil", "spin_is_locked()"),
    ("MP+polockonce+poacquiresilsil", "spin_is_locked()"),
];

const HB: Deviation = Weaker("overwrite & int hands on nothing after an smp_mb()");
const DATA: Deviation = Weaker("data dependencies order nothing");

/// Tests of our own; the verdict is what herd7 7.56.3 says with the model of v6.12.
#[rustfmt::skip]
pub const OURS: &[Row] = &[
    // Stores go before newer ones, unless something orders them.
    ("2+2W", "x=1 y=2 | y=1 x=2", "x=1 y=1", Sometimes, None),
    ("2+2W+wmbs", "x=1 wmb y=2 | y=1 wmb x=2", "x=1 y=1", Sometimes, None),
    ("2+2W+releases", "x=1 y:=2 | y=1 x:=2", "x=1 y=1", Sometimes, None),
    ("2+2W+mbs", "x=1 mb y=2 | y=1 mb x=2", "x=1 y=1", Never, None),
    ("CoWW-nothing-between-an-update", "r0=xchg(x,1) | x=2", "0:r0=0 x=1", Never, None),
    ("CoRMW", "r0=x++ | r0=x++ | x++", "0:r0=0 1:r0=0", Never, None),
    // wmb, rmb and release are no more than they are.
    ("S+wmb+rmb", "x=2 wmb y=1 | r0=y rmb x=1", "x=2 1:r0=1", Sometimes, None),
    ("WRC+wmb+rmb", "x=1 | r0=x wmb y=1 | r0=y rmb r1=x", "1:r0=1 2:r0=1 2:r1=0", Sometimes, None),
    ("ISA2+rel+po-rel+acq", "x=1 y:=1 | r0=y z:=1 | r0:=z r1=x", "1:r0=1 2:r0=1 2:r1=0", Never, None),
    ("ISA2+wmb+wmb+acq", "x=1 wmb y=1 | r0=y y=2 wmb z=1 | r0:=z r1=x", "1:r0=1 2:r0=1 2:r1=0",
     Sometimes, None),
    ("R+wmb+mb", "x=1 wmb y=1 | y=2 mb r0=x", "y=2 1:r0=0", Sometimes, None),
    ("SB+rel-acq", "x:=1 r0:=y | y:=1 r0:=x", "0:r0=0 1:r0=0", Sometimes, None),
    ("SB+mb+rmb", "x=1 mb r0=y | y=1 rmb r0=x", "0:r0=0 1:r0=0", Sometimes, None),
    // Updates.
    ("SB+xchgs", "r1=xchg(x,1) r0=y | r1=xchg(y,1) r0=x", "0:r0=0 1:r0=0", Never, None),
    ("SB+incs", "x++ r0=y | y++ r0=x", "0:r0=0 1:r0=0", Sometimes, None),
    ("SB+fetch-incs", "r1=x++ r0=y | r1=y++ r0=x", "0:r0=0 1:r0=0", Never, None),
    ("MP+failed-cmpxchg", "x=1 wmb y=1 | r0=y r1=cmpxchg(x,7,8)", "1:r0=1 1:r1=0", Sometimes, None),
    ("MP+cmpxchg", "x=1 wmb y=1 | r0=y r1=cmpxchg(x,0,8)", "1:r0=1 1:r1=0", Never, None),
    ("MP+rel+inc+acq", "x=1 y:=1 | y++ | r0:=y r1=x", "2:r0=2 2:r1=0", Never, None),
    ("MP+rel+store+acq", "x=1 y:=1 | r0=y y=2 | r0:=y r1=x", "1:r0=1 2:r0=2 2:r1=0", Sometimes, None),
    ("Atomic-RMW+mb__after_atomic", "r0=x rmb r1=y | y++ mb x=1", "0:r0=1 0:r1=0", Never, None),
    ("MP+inc-rmb", "x=1 wmb y=1 | y++ rmb r1=x", "1:r1=0 y=2", Sometimes, None),
    // Locks.
    ("MP+lock-release-only", "s.lock x=1 s.unlock y=1 | r0=y rmb r1=x", "1:r0=1 1:r1=0",
     Sometimes, None),
    ("MP+unlocklocks", "s.lock x=1 s.unlock t.lock y=1 t.unlock | s.lock r0=y s.unlock t.lock r1=x t.unlock",
     "1:r0=1 1:r1=0", Never, None),
    ("SB+unlocklocks", "s.lock x=1 s.unlock t.lock r0=y t.unlock | u.lock y=1 u.unlock v.lock r0=x v.unlock",
     "0:r0=0 1:r0=0", Sometimes, None),
    ("R+unlocklock+mb", "s.lock x=1 s.unlock t.lock y=1 t.unlock | y=2 mb r0=x", "y=2 1:r0=0",
     Sometimes, None),
    // Where it is not the Linux-kernel memory model.
    ("ISA2+mb+po+mb", "x=1 mb y=1 | r0=y z=1 | r0=z mb r1=x", "1:r0=1 2:r0=1 2:r1=0", Sometimes,
     Stronger("between two smp_mb(), a store does not overtake a load")),
    ("S+wmb+data", "x=2 wmb y=1 | r0=y x=r0", "x=2 1:r0=1", Never, DATA),
    ("RWC+mb+coi+acq+mb", "x=1 mb y=1 | r0=y y=2 | r0:=y r1=z | z=1 mb r0=x",
     "1:r0=1 2:r0=2 2:r1=0 3:r0=0", Never, HB),
];
