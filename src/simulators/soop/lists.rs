//! `GET /broad/category/list` and `GET /filter/{type}`.

use serde_json::{Map, Value, json};

use super::{Category, FilterKind, World, wire::Answer};
use crate::simulators::Request;

/// Languages of category names; anything else is answered in the first.
const LOCALES: [&str; 7] = ["ko_KR", "en_US", "zh_CN", "zh_TW", "ja_JP", "th_TH", "vi_VN"];

impl World {
    pub(super) fn category_list(&mut self, request: &Request) -> Answer {
        if let Some(refusal) = self.refuse_client(request, false) {
            return refusal;
        }
        let wanted = request.query("locale").unwrap_or(LOCALES[0]);
        let locale = LOCALES.into_iter().find(|known| *known == wanted).unwrap_or(LOCALES[0]);
        let mut rows: Vec<Value> = Vec::with_capacity(self.categories.len());
        for parent in self.categories.clone() {
            let mut row = category_row(&parent, locale);
            let mut children: Vec<_> =
                parent.children.iter().map(|c| Value::Object(category_row(c, locale))).collect();
            self.stir(&mut children);
            // A parent without children has an empty list of them, or none.
            if !children.is_empty() || !self.varies(20) {
                row.insert("child".to_owned(), children.into());
            }
            rows.push(row.into());
        }
        self.stir(&mut rows);
        Answer::list(json!({ "broad_category": rows }).to_string())
    }

    pub(super) fn filter_list(&mut self, request: &Request) -> Answer {
        if let Some(refusal) = self.refuse_client(request, true) {
            return refusal;
        }
        let name = request.path.trim_start_matches("/filter/");
        let Some(kind) = FilterKind::ALL.into_iter().find(|kind| kind.as_str() == name) else {
            return Answer::page(404);
        };
        let mut rows = Vec::new();
        for filter in self.filters.clone().into_iter().filter(|filter| filter.kind == kind) {
            let mut row = Map::new();
            if kind == FilterKind::Category {
                row.insert("cate_name".to_owned(), json!(filter.category_name.unwrap_or_default()));
            }
            row.insert(kind.field().to_owned(), json!(filter.value));
            row.insert("reason".to_owned(), json!(filter.reason));
            row.insert("type".to_owned(), self.number(if filter.is_of_platform { 2 } else { 1 }));
            rows.push(row.into());
        }
        self.stir(&mut rows);
        Answer::list(json!({ "filter_list": rows }).to_string())
    }

    /// The order of these lists says nothing.
    fn stir(&mut self, rows: &mut [Value]) {
        if self.varies(30) {
            self.dice.shuffle(rows);
        }
    }
}

fn category_row(category: &Category, locale: &str) -> Map<String, Value> {
    let name = match locale {
        "ko_KR" => category.name.clone(),
        locale => format!("{} ({locale})", category.name),
    };
    Map::from_iter([("cate_name".to_owned(), json!(name)), ("cate_no".to_owned(), json!(category.no))])
}
