//! What earlier sweeps saw in the lists of a watch.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

/// The ids that earlier sweeps saw in each list and that are still believed to be there, without the noun.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Listed {
    whole: HashMap<String, HashSet<String>>,
    /// Of lists that are read from some time on: the place of each in time.
    placed: HashMap<String, HashMap<String, Timestamp>>,
}

impl Listed {
    /// Notes that this stands in the list `scope`; `listed_from` as in [`Sighting`](super::Sighting).
    pub fn note(&mut self, scope: &str, id: &str, listed_from: Option<Timestamp>) {
        match (listed_from, self.whole.get_mut(scope)) {
            (Some(at), _) => drop(self.placed.entry(scope.to_owned()).or_default().insert(id.to_owned(), at)),
            (None, Some(ids)) => drop(ids.insert(id.to_owned())),
            // Of most lists there is much, and only the first needs the name for itself.
            (None, None) => drop(self.whole.insert(scope.to_owned(), HashSet::from([id.to_owned()]))),
        }
    }

    /// What stands in a list that is read as a whole; `None` if nothing was ever seen in it.
    pub fn get(&self, scope: &str) -> Option<&HashSet<String>> {
        self.whole.get(scope)
    }

    /// What stands in a list that is read from `from` on. Earlier things are not asked for, and what has no place in
    /// time cannot be.
    pub fn since(&self, scope: &str, from: Timestamp) -> HashSet<String> {
        let placed = self.placed.get(scope).into_iter().flatten();
        placed.filter(|(_, at)| **at >= from).map(|(id, _)| id.clone()).collect()
    }

    /// The names of all lists in which something stands; one that is read in both ways comes twice.
    pub fn scopes(&self) -> impl Iterator<Item = &String> {
        self.whole.keys().chain(self.placed.keys())
    }
}
