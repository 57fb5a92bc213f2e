//! Categories and filters come, change and go.

use super::{Category, Filter, FilterKind, World, things::padded};

impl World {
    /// A new category, below another or at the top; returns its number.
    pub fn add_category(&mut self, parent: Option<&str>, name: &str) -> String {
        let numbers = self.all_categories().filter_map(|(category, _)| category.no.parse::<u32>().ok());
        let no = format!("{:08}", numbers.max().unwrap_or(0) + 1);
        self.add_category_as(parent, &no, name);
        no
    }

    /// A new category with a number of its own; nothing happens if the number is taken, or there is no such parent.
    pub fn add_category_as(&mut self, parent: Option<&str>, no: &str, name: &str) {
        let no = padded(no);
        if self.all_categories().any(|(category, _)| category.no == no) {
            return;
        }
        let category = Category::leaf(&*no, name);
        match parent {
            None => self.categories.push(category),
            Some(parent) => match self.top(parent) {
                Some(parent) => parent.children.push(category),
                None => return,
            },
        }
        self.tell("category", &no, "created");
        self.look_at_all();
    }

    /// Gives a category another name, also where a filter mentions it.
    pub fn rename_category(&mut self, no: &str, name: &str) {
        let below = self.categories.iter_mut().flat_map(|parent| {
            let Category { no, name, children } = parent;
            std::iter::once((no, name))
                .chain(children.iter_mut().map(|child| (&mut child.no, &mut child.name)))
        });
        let Some((_, known)) = below.into_iter().find(|(known, _)| **known == no) else { return };
        if known != name {
            name.clone_into(known);
            self.tell("category", no, "updated");
        }
        self.edit_filter(FilterKind::Category, no, |filter| filter.category_name = Some(name.to_owned()));
    }

    /// Puts a category without others below it elsewhere: below another, or at the top.
    pub fn move_category(&mut self, no: &str, parent: Option<&str>) {
        let Some((category, from)) = self.all_categories().find(|(category, _)| category.no == no) else {
            return;
        };
        let is_possible = parent.is_none_or(|parent| self.categories.iter().any(|top| top.no == parent));
        if from == parent || parent == Some(no) || !is_possible || !category.children.is_empty() {
            return;
        }
        let category = category.clone();
        self.take_category(no);
        match parent.and_then(|parent| self.top(parent)) {
            Some(parent) => parent.children.push(category),
            None => self.categories.push(category),
        }
        self.tell("category", no, "updated");
        self.look_at_all();
    }

    /// Takes a category away, with those below it. Broadcasts keep its number.
    pub fn remove_category(&mut self, no: &str) {
        let gone = self.with_those_below(no);
        if !self.all_categories().any(|(category, _)| category.no == no) {
            return;
        }
        self.take_category(no);
        for no in gone {
            self.tell("category", &no, "removed");
        }
        self.look_at_all();
    }

    /// Enters a filter of this client.
    pub fn add_filter(&mut self, kind: FilterKind, value: &str, reason: &str) {
        self.add_filter_as(kind, value, reason, false);
    }

    /// Enters a filter of this client, or of the platform. One that is there already gets another reason.
    pub fn add_filter_as(&mut self, kind: FilterKind, value: &str, reason: &str, is_of_platform: bool) {
        if self.filters.iter().any(|known| known.kind == kind && known.value == value) {
            return self.edit_filter(kind, value, |filter| reason.clone_into(&mut filter.reason));
        }
        let category =
            self.all_categories().find(|(known, _)| kind == FilterKind::Category && known.no == value);
        let category_name = category.map(|(category, _)| category.name.clone());
        self.filters.push(Filter {
            kind,
            value: value.to_owned(),
            reason: reason.to_owned(),
            is_of_platform,
            category_name,
        });
        self.tell_filter(kind, value, "created");
        self.look_at_all();
    }

    /// Changes a filter in any way but its kind and value.
    pub fn edit_filter(&mut self, kind: FilterKind, value: &str, change: impl FnOnce(&mut Filter)) {
        let place = self.filters.iter_mut().find(|known| known.kind == kind && known.value == value);
        let Some(filter) = place else { return };
        let before = filter.clone();
        change(filter);
        filter.kind = kind;
        value.clone_into(&mut filter.value);
        if *filter != before {
            self.tell_filter(kind, value, "updated");
        }
    }

    /// Takes a filter away; those of the platform stay.
    pub fn remove_filter(&mut self, kind: FilterKind, value: &str) {
        let place = self
            .filters
            .iter()
            .position(|known| (known.kind, &*known.value) == (kind, value) && !known.is_of_platform);
        if let Some(place) = place {
            self.filters.remove(place);
            self.tell_filter(kind, value, "removed");
            self.look_at_all();
        }
    }

    /// The categories at the top, with those below.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// All filters.
    pub fn filters(&self) -> &[Filter] {
        &self.filters
    }

    /// Every category, with the number of the one above it.
    pub fn all_categories(&self) -> impl Iterator<Item = (&Category, Option<&str>)> {
        self.categories.iter().flat_map(|parent| {
            let below = parent.children.iter().map(|child| (child, Some(&*parent.no)));
            std::iter::once((parent, None)).chain(below)
        })
    }

    /// The number itself, and those of the categories below it.
    pub(super) fn with_those_below(&self, no: &str) -> Vec<String> {
        let parent = self.categories.iter().find(|parent| parent.no == no);
        let below = parent.into_iter().flat_map(|parent| &parent.children).map(|child| child.no.clone());
        std::iter::once(no.to_owned()).chain(below).collect()
    }

    fn top(&mut self, no: &str) -> Option<&mut Category> {
        self.categories.iter_mut().find(|parent| parent.no == no)
    }

    fn take_category(&mut self, no: &str) {
        self.categories.retain(|parent| parent.no != no);
        for parent in &mut self.categories {
            parent.children.retain(|child| child.no != no);
        }
    }

    fn tell_filter(&mut self, kind: FilterKind, value: &str, verb: &'static str) {
        self.tell("filter", &format!("{}:{value}", kind.as_str()), verb);
    }
}
