//! A deadlock in words: the wait-for cycle if there is one, else all who wait for ever.

use crate::outcome::Deadlock;

/// What keeps a task from going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// Nothing: it has ended, or it is a worker without work.
    Not,
    /// A lock, with its name and, if anybody has it, the number of the task that does.
    Lock(String, Option<usize>),
    /// A condition on the field of this name.
    Field(String),
}

/// One task of a world in which nobody can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Whether it died in an oops.
    pub died: bool,
    /// What it waits for.
    pub blocked: Blocked,
}

/// The deadlock of these tasks, by number; `None` if all have come to rest.
pub fn deadlock(tasks: &[Standing]) -> Option<Deadlock> {
    let cycle = (0..tasks.len()).find_map(|start| cycle_from(tasks, start));
    let stuck = cycle.unwrap_or_else(|| (0..tasks.len()).collect());
    let mut waits: Vec<String> = stuck.into_iter().filter_map(|i| line(tasks, i)).collect();
    let least = (0..waits.len()).min_by_key(|i| &waits[*i])?;
    waits.rotate_left(least);
    Some(Deadlock { waits })
}

fn waits_for(tasks: &[Standing], task: usize) -> Option<usize> {
    match &tasks[task].blocked {
        Blocked::Lock(_, holder) => *holder,
        _ => None,
    }
}

fn cycle_from(tasks: &[Standing], start: usize) -> Option<Vec<usize>> {
    let mut cycle = vec![start];
    let mut at = waits_for(tasks, start)?;
    while at != start {
        if cycle.contains(&at) {
            return None;
        }
        cycle.push(at);
        at = waits_for(tasks, at)?;
    }
    Some(cycle)
}

fn line(tasks: &[Standing], task: usize) -> Option<String> {
    let name = &tasks[task].name;
    match &tasks[task].blocked {
        Blocked::Not => None,
        Blocked::Field(field) => Some(format!("{name} waits for {field}")),
        Blocked::Lock(lock, holder) => {
            let holder = match holder {
                None => "nobody".to_owned(),
                Some(holder) if *holder == task => "itself".to_owned(),
                Some(holder) if tasks[*holder].died => {
                    format!("{}, which died in an oops", tasks[*holder].name)
                }
                Some(holder) => tasks[*holder].name.clone(),
            };
            Some(format!("{name} waits for {lock}, held by {holder}"))
        }
    }
}
