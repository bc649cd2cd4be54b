//! What a checkpoint holds: what the round knows, what it has found, and what it has left.
//!
//! Outcomes are not written down, since nothing is known of their type. For each there are the
//! states that have it, and the graph says how to get there.

use super::Problem;
use crate::engine::exhaustive::codec::{Malformed, Reader, Writer};
use crate::engine::exhaustive::graph::{Choice, Edges, Graph};
use crate::engine::exhaustive::shared::{Job, Open};
use crate::engine::exhaustive::visited::{Numbering, StateId};
use crate::engine::exhaustive::worker::{At, Worker};
use crate::engine::footprints::{Claimed, Flow, Footprints};
use crate::engine::lock_order::LockOrder;
use crate::engine::marks::Watch;
use crate::engine::schedule::Turn;
use crate::engine::weak::Behind;
use crate::event::TaskId;
use crate::model::Model;
use crate::outcome::DataRace;
use std::sync::Arc;

/// What the round knows.
pub(in crate::engine::exhaustive) struct Known {
    pub(in crate::engine::exhaustive) restarts: u64,
    pub(in crate::engine::exhaustive) watch: Watch,
    pub(in crate::engine::exhaustive) flow: Flow,
    /// The footprints that it began with.
    pub(in crate::engine::exhaustive) used: Option<Arc<Footprints>>,
    /// What it took tasks to touch behind their points, under weak memory.
    pub(in crate::engine::exhaustive) behind: Option<Arc<Behind>>,
}

/// What else the leader knows.
#[derive(Default)]
pub(super) struct Content {
    known_points: usize,
    is_far: bool,
    claimed: Claimed,
}

/// Writes the search of a leader who is alone, with all jobs left.
pub(super) fn save<M: Model>(out: &mut Writer, leader: &Worker<'_, M>, restarts: u64) {
    out.u64(restarts);
    leader.walk.machine().watch().save(out);
    let mut flow = Flow::clone(&leader.flow);
    flow.add(leader.walk.automaton());
    flow.save(out);
    out.option(leader.footprints.as_ref(), |out, used| used.save(out));
    out.option(leader.live.as_ref(), |out, live| live.behind().save(out));
    out.u64(leader.known_points as u64);
    out.flag(leader.is_far);
    let mut claimed = leader.claimed.clone();
    claimed.add(&leader.claims, leader.walk.automaton());
    claimed.save(out);
    let numbers = leader.shared.visited.numbering();
    save_found(out, leader, &numbers);
    save_jobs(out, leader, &numbers);
}

fn save_found<M: Model>(out: &mut Writer, leader: &Worker<'_, M>, numbers: &Numbering) {
    let (shared, found) = (leader.shared, &leader.found);
    out.u64(shared.states());
    out.u64(found.executions);
    out.u64(found.done.to_bits());
    out.flag(shared.has_left_out());
    let reached = leader.walk.machine().reached();
    let reached: Vec<_> = found.reached.union(&reached).copied().collect();
    out.list(&reached, |out, name| out.text(name));
    let mut lock_order = leader.walk.machine().lock_order();
    lock_order.extend(&found.lock_order);
    lock_order.save(out);
    out.u64(u64::from(numbers.len()));
    shared.visited.each(|fingerprint| out.u128(fingerprint));
    out.u32(leader.root.map_or(0, |root| numbers.of(root)));
    out.list(&found.edges, |out, edges| save_edges(out, edges, numbers));
    out.u64(found.finals.len() as u64);
    for states in found.finals.values() {
        save_states(out, states.iter().copied(), numbers);
    }
    out.u64(found.data_races.len() as u64);
    for (race, places) in &found.data_races {
        out.text(&race.field);
        out.text(&race.sites[0]);
        out.text(&race.sites[1]);
        out.list(places, |out, at| save_place(out, *at, numbers));
    }
}

fn save_edges(out: &mut Writer, edges: &Edges, numbers: &Numbering) {
    edges.lists().save(out);
    out.u64(edges.iter().count() as u64);
    for piece in edges.iter() {
        out.u32(numbers.of(StateId(piece.state)));
        out.u32(piece.first as u32);
        out.u64(piece.choices().len() as u64);
        for choice in piece.choices() {
            out.u32(numbers.of(choice.to));
            out.u32(choice.effects);
            out.u32(choice.stale);
        }
    }
}

/// Where something was seen: the state, the number of the choice, and which of the two tell.
fn save_place(out: &mut Writer, at: At, numbers: &Numbering) {
    let (kind, state, choice) = match at {
        At::State(state) => (0, numbers.of(state), 0),
        At::Choice(None, choice) => (1, 0, choice),
        At::Choice(Some(state), choice) => (2, numbers.of(state), choice),
    };
    out.u8(kind);
    out.u32(state);
    out.u32(choice);
}

fn save_states(
    out: &mut Writer,
    states: impl ExactSizeIterator<Item = StateId>,
    numbers: &Numbering,
) {
    out.u64(states.len() as u64);
    for state in states {
        out.u32(numbers.of(state));
    }
}

fn save_jobs<M: Model>(out: &mut Writer, leader: &Worker<'_, M>, numbers: &Numbering) {
    let turns = |out: &mut Writer, turns: &[Turn]| {
        out.list(turns, |out, turn| {
            out.u32(turn.task.0);
            out.u32(turn.pick);
        });
    };
    out.list(&leader.shared.jobs(), |out, job| {
        turns(out, &job.way);
        out.list(&job.open, |out, open| {
            out.u64(open.steps);
            out.u32(numbers.of(open.state));
            out.u64(open.first as u64);
            turns(out, &open.turns);
            out.flag(open.is_fresh);
            out.u64(open.share.to_bits());
        });
    });
}

impl Known {
    pub(super) fn load(from: &mut Reader, content: &mut Content) -> Result<Self, Malformed> {
        let restarts = from.u64()?;
        let (watch, flow) = (Watch::load(from)?, Flow::load(from)?);
        let used = from.option(Footprints::load)?.map(Arc::new);
        let behind = from.option(Behind::load)?.map(Arc::new);
        content.known_points = from.u64()? as usize;
        content.is_far = from.flag()?;
        content.claimed = Claimed::load(from)?;
        Ok(Self {
            restarts,
            watch,
            flow,
            used,
            behind,
        })
    }
}

/// The states of the file, by number.
struct States(Vec<StateId>);

impl States {
    fn one(&self, from: &mut Reader) -> Result<StateId, Malformed> {
        let number = from.u32()? as usize;
        self.0.get(number).copied().ok_or(Malformed)
    }

    fn place(&self, from: &mut Reader) -> Result<At, Malformed> {
        let (kind, state, choice) = (from.u8()?, self.one(from)?, from.u32()?);
        match kind {
            0 => Ok(At::State(state)),
            1 => Ok(At::Choice(None, choice)),
            2 => Ok(At::Choice(Some(state), choice)),
            _ => Err(Malformed),
        }
    }

    fn list(&self, from: &mut Reader) -> Result<Vec<StateId>, Malformed> {
        from.list(|from| self.one(from))
    }
}

/// Reads what [`save`] wrote behind [`Known`].
pub(super) fn restore<'a, M: Model>(
    from: &mut Reader,
    content: Content,
    leader: &mut Worker<'a, M>,
    mut scout: Worker<'a, M>,
) -> Result<(), Problem> {
    leader.known_points = content.known_points;
    leader.is_far = content.is_far;
    leader.claimed = content.claimed;
    let states = load_found(from, leader)?;
    load_ends(from, leader, &mut scout, &states)?;
    for job in from.list(|from| load_job(from, &states))? {
        scout.try_out(&job).ok_or(Problem::OtherModel)?;
        leader.shared.leave(job);
    }
    if from.is_at_end() {
        Ok(())
    } else {
        Err(Malformed.into())
    }
}

/// The numbers, the states and the edges.
fn load_found<M: Model>(
    from: &mut Reader,
    leader: &mut Worker<'_, M>,
) -> Result<States, Malformed> {
    leader.shared.set_states(from.u64()?);
    leader.found.executions = from.u64()?;
    leader.found.done = f64::from_bits(from.u64()?);
    if from.flag()? {
        leader.shared.leaves_out();
    }
    leader.found.reached = from.list(Reader::name)?.into_iter().collect();
    leader.found.lock_order = LockOrder::load(from)?;
    let states = from.list(|from| {
        let (state, is_new) = leader
            .shared
            .visited
            .insert(&mut leader.fresh, from.u128()?);
        is_new.then_some(state).ok_or(Malformed)
    })?;
    let states = States(states);
    leader.root = Some(states.one(from)?);
    let edges = &mut leader.found.edges[0];
    from.list(|from| load_edges(from, edges, &states))?;
    Ok(states)
}

fn load_edges(from: &mut Reader, edges: &mut Edges, states: &States) -> Result<(), Malformed> {
    let numbers = edges.lists_mut().load(from)?;
    from.list(|from| {
        let (state, first) = (states.one(from)?, from.u32()?);
        let choices = from.list(|from| {
            let (to, list) = (states.one(from)?, from.u32()? as usize);
            let effects = *numbers.get(list).ok_or(Malformed)?;
            let stale = from.u32()?;
            Ok(Choice { to, effects, stale })
        })?;
        edges.push(state, first as usize, &choices);
        Ok(())
    })?;
    Ok(())
}

/// The outcomes and the data races.
fn load_ends<M: Model>(
    from: &mut Reader,
    leader: &mut Worker<'_, M>,
    scout: &mut Worker<'_, M>,
    states: &States,
) -> Result<(), Problem> {
    let root = leader.root.ok_or(Malformed)?;
    let shared = leader.shared;
    let (end, workers) = (shared.visited.end(), shared.options.workers);
    let (graph, numbers) = Graph::new(root, end, &leader.found.edges, workers);
    let shortest = graph.shortest(numbers.of(root));
    for group in from.list(|from| states.list(from))? {
        let first = *group.first().ok_or(Malformed)?;
        let way = shortest.to(numbers.of(first)).ok_or(Malformed)?;
        scout.go_to(&way, None);
        let is_there = scout.fingerprint() == leader.shared.visited.fingerprint(first);
        if !is_there || !scout.enabled.is_empty() {
            return Err(Problem::OtherModel);
        }
        // What was read off ends that differ may be the same on other ways.
        let ends = leader.found.finals.entry(scout.walk.finish());
        ends.or_default().extend(group);
    }
    leader.found.data_races = from
        .list(|from| {
            let (field, sites) = (from.text()?, [from.text()?, from.text()?]);
            Ok((
                DataRace { field, sites },
                from.list(|from| states.place(from))?,
            ))
        })?
        .into_iter()
        .collect();
    Ok(())
}

fn load_job(from: &mut Reader, states: &States) -> Result<Job, Malformed> {
    let turn = |from: &mut Reader| {
        let (task, pick) = (TaskId(from.u32()?), from.u32()?);
        Ok(Turn { task, pick })
    };
    let turns = |from: &mut Reader| from.list(turn);
    let job = Job {
        way: turns(from)?,
        open: from.list(|from| {
            Ok(Open {
                steps: from.u64()?,
                state: states.one(from)?,
                first: from.u64()? as usize,
                turns: turns(from)?,
                is_fresh: from.flag()?,
                share: f64::from_bits(from.u64()?),
            })
        })?,
    };
    let has_some = !job.open.is_empty();
    has_some.then_some(job).ok_or(Malformed)
}

impl<M: Model> Worker<'_, M> {
    /// Goes the way of a job; `None` if it does not lead over the job's states.
    fn try_out(&mut self, job: &Job) -> Option<()> {
        self.follow(job, &mut |worker, here| {
            let expected = worker.shared.visited.fingerprint(here.state);
            let can_go = |turn: &Turn| worker.enabled.contains(&turn.task);
            let can_go = here.turns.iter().all(can_go);
            // Under weak memory it has been compared on the way.
            let is_there = worker.walk.is_weak() || worker.fingerprint() == expected;
            (can_go && is_there).then_some(())
        })
    }
}
