//! The JUnit report: each rule that a job looked at is a test case, so that GitLab shows a broken one in the merge request. Pure.
//!
//! GitLab tells cases apart by suite, class and name, and compares a merge request's with those of its target branch: all three are
//! the same in every run. Of a failure it shows the text and, once there is text, no attribute.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::outcome::{Check, CheckState, Problem};

/// Texts of cases are cut at this many characters.
const MAX_TEXT: usize = 4_000;
/// No job looks at more rules; a list that somebody could lengthen is cut.
const MAX_CASES: usize = 200;

/// The report of a job that ran to its end.
pub fn of_checks(command: &str, checks: &[Check]) -> String {
    let cases: Vec<Case<'_>> = checks
        .iter()
        .take(MAX_CASES)
        .map(|check| Case {
            about: check.about,
            name: &check.rule,
            result: match &check.state {
                CheckState::Passed => None,
                CheckState::Failed(text) => Some(("failure", text.as_str())),
                CheckState::Skipped(why) => Some(("skipped", why.as_str())),
            },
        })
        .collect();
    document(command, &cases)
}

/// The report of a job that could not do its work.
pub fn of_problem(command: &str, problem: &Problem) -> String {
    let text = problem.full_text();
    let case = Case {
        about: "The job itself",
        name: "The job can do its work",
        result: Some(("error", &text)),
    };
    document(command, &[case])
}

struct Case<'a> {
    about: &'a str,
    name: &'a str,
    result: Option<(&'static str, &'a str)>,
}

fn document(command: &str, cases: &[Case<'_>]) -> String {
    let mut bytes = Vec::new();
    let mut writer = Writer::new_with_indent(&mut bytes, b' ', 1);
    let suite = format!("trainyard {command}");
    let written = writer
        .write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))
        .and_then(|()| {
            writer
                .create_element("testsuites")
                .write_inner_content(|writer| {
                    writer
                        .create_element("testsuite")
                        .with_attribute(("name", legal(&suite).as_str()))
                        .with_attribute(("tests", cases.len().to_string().as_str()))
                        .with_attribute(("failures", count(cases, "failure").as_str()))
                        .with_attribute(("errors", count(cases, "error").as_str()))
                        .with_attribute(("skipped", count(cases, "skipped").as_str()))
                        .write_inner_content(|writer| {
                            cases.iter().try_for_each(|one| case(writer, one))
                        })
                        .map(drop)
                })
                .map(drop)
        });
    written.expect("writing to memory does not fail");
    String::from_utf8(bytes).expect("what was written is text") + "\n"
}

fn case(writer: &mut Writer<&mut Vec<u8>>, case: &Case<'_>) -> std::io::Result<()> {
    let element = writer
        .create_element("testcase")
        .with_attribute(("classname", legal(case.about).as_str()))
        .with_attribute(("name", legal(case.name).as_str()));
    match case.result {
        None => element.write_empty().map(drop),
        Some((result, text)) => element
            .write_inner_content(|writer| {
                writer
                    .create_element(result)
                    .write_text_content(BytesText::new(&legal(text)))
                    .map(drop)
            })
            .map(drop),
    }
}

fn count(cases: &[Case<'_>], result: &str) -> String {
    let like = |case: &&Case<'_>| case.result.is_some_and(|(name, _)| name == result);
    cases.iter().filter(like).count().to_string()
}

/// Text without what XML 1.0 forbids even as a reference, and of bounded length.
fn legal(text: &str) -> String {
    let forbidden = |c: char| {
        c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') || super::log::turns_direction(c)
    };
    let allowed = |c: &char| matches!(c, '\n' | '\t') || !forbidden(*c);
    text.chars().filter(allowed).take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_rule_is_a_case_and_a_broken_one_says_why() {
        let checks = [
            Check::of("Links to features", "Every feature is open", &[]),
            Check::of(
                "Links to features",
                "A feature is named",
                &["no <link> & \"none\"".to_owned()],
            ),
            Check::skipped(
                "Links to features",
                "Every feature is labelled",
                "not asked for",
            ),
        ];
        assert_eq!(
            of_checks("link-check", &checks),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
 <testsuite name="trainyard link-check" tests="3" failures="1" errors="0" skipped="1">
  <testcase classname="Links to features" name="Every feature is open"/>
  <testcase classname="Links to features" name="A feature is named">
   <failure>no &lt;link&gt; &amp; &quot;none&quot;</failure>
  </testcase>
  <testcase classname="Links to features" name="Every feature is labelled">
   <skipped>not asked for</skipped>
  </testcase>
 </testsuite>
</testsuites>
"#
        );
    }

    #[test]
    fn a_job_that_could_not_do_its_work_reports_an_error() {
        let problem = Problem::gitlab("GitLab does not answer", "retry");
        let report = of_problem("link-check", &problem);
        assert!(
            report.contains("<error>GitLab does not answer\n  next: retry</error>"),
            "{report}"
        );
    }

    proptest! {
        #[test]
        fn no_text_can_break_the_report(text in any::<String>(), name in any::<String>()) {
            let checks = [Check::of("Links", name, std::slice::from_ref(&text))];
            let report = of_checks("link-check", &checks);
            let mut reader = quick_xml::Reader::from_str(&report);
            let mut cases = 0;
            loop {
                match reader.read_event() {
                    Ok(Event::Start(start) | Event::Empty(start)) => cases += usize::from(start.name().as_ref() == "testcase"),
                    Ok(Event::Eof) => break,
                    Ok(_) => {}
                    Err(error) => prop_assert!(false, "{}: {}", error, report),
                }
            }
            prop_assert_eq!(cases, 1);
        }
    }

    #[test]
    fn a_report_has_an_end() {
        let checks = vec![Check::of("Links", "Rule", &["x".repeat(1_000_000)]); 1_000];
        assert!(of_checks("link-check", &checks).len() < 1_000_000);
    }
}
