//! The annotations report: links that GitLab shows on the job's page. Pure.
//!
//! GitLab's schema: an object of lists, each item an object with nothing but `external_link`, which has nothing but `label` and
//! `url`; by default at most 20 lists and 80 KB.

use serde_json::{Map, Value, json};

use crate::outcome::{Pointer, SeeAlso};

/// More links of one list are left out.
const MAX_LINKS: usize = 50;
/// Labels are cut at this many characters, addresses that are longer are left out.
const MAX_LABEL: usize = 150;
const MAX_ADDRESS: usize = 500;

/// The report: what of the links can be shown, in the order of the lists.
pub fn of_links(links: &[Pointer]) -> String {
    let mut lists = Map::new();
    for list in [
        SeeAlso::Features,
        SeeAlso::MergeRequests,
        SeeAlso::Pipelines,
        SeeAlso::Releases,
    ] {
        let mut items: Vec<Value> = Vec::new();
        for Pointer { label, url, .. } in links.iter().filter(|link| link.list == list) {
            let item = json!({"external_link": {"label": shown(label), "url": url}});
            if leads_to_a_page(url) && !items.contains(&item) && items.len() < MAX_LINKS {
                items.push(item);
            }
        }
        if !items.is_empty() {
            lists.insert(title(list).to_owned(), Value::Array(items));
        }
    }
    format!("{:#}\n", Value::Object(lists))
}

fn title(list: SeeAlso) -> &'static str {
    match list {
        SeeAlso::Features => "Features",
        SeeAlso::MergeRequests => "Merge requests",
        SeeAlso::Pipelines => "Pipelines and jobs",
        SeeAlso::Releases => "Releases",
    }
}

fn shown(label: &str) -> String {
    let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
    let harmless = |c: &char| !c.is_control() && !super::log::turns_direction(*c);
    label.chars().filter(harmless).take(MAX_LABEL).collect()
}

/// GitLab makes a link of whatever it gets: only addresses of pages are handed to it.
fn leads_to_a_page(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://"))
        && url.len() <= MAX_ADDRESS
        && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(list: SeeAlso, label: &str, url: &str) -> Pointer {
        Pointer::new(list, label, url)
    }

    #[test]
    fn links_stand_in_their_lists_once() {
        let links = [
            link(SeeAlso::MergeRequests, "!3 holds it", "https://g/3"),
            link(SeeAlso::Features, "#1 Pay\n by \"card\"", "https://g/1"),
            link(SeeAlso::Features, "#1 Pay by \"card\"", "https://g/1"),
        ];
        let report: Value = serde_json::from_str(&of_links(&links)).unwrap();
        assert_eq!(
            report,
            json!({
                "Features": [{"external_link": {"label": "#1 Pay by \"card\"", "url": "https://g/1"}}],
                "Merge requests": [{"external_link": {"label": "!3 holds it", "url": "https://g/3"}}],
            })
        );
        assert_eq!(of_links(&[]), "{}\n", "an empty report is a report");
    }

    #[test]
    fn only_addresses_of_pages_become_links() {
        let links = [
            "javascript:alert(1)",
            "/relative",
            "https://g/a b",
            "data:text/html,x",
        ]
        .map(|url| link(SeeAlso::Features, "x", url));
        assert_eq!(of_links(&links), "{}\n");
    }

    #[test]
    fn the_report_stays_below_what_gitlab_takes() {
        let links: Vec<_> = (0..10_000)
            .flat_map(|n| {
                [SeeAlso::Features, SeeAlso::MergeRequests].map(|list| {
                    link(
                        list,
                        &"l".repeat(9_000),
                        &format!("https://g/{n}{}", "u".repeat(400)),
                    )
                })
            })
            .collect();
        assert!(of_links(&links).len() < 80 * 1024);
    }
}
