//! From `release` and `version` to the jobs that do it, with the rules of the package that they are about.

use std::collections::BTreeSet;

use super::desk::with_desk;
use super::job::{and_tell, job};
use super::{Printed, Stdout, Trust};
use crate::cli::release::{ReleaseCommand, prepared};
use crate::cli::{Global, Release, ShowVersion};
use crate::domain::ids::PackageName;
use crate::domain::versioning::numbers::Asked;
use crate::jobs::release::permission::Freezing;
use crate::jobs::release::prepare::{Handover, Nothing};
use crate::jobs::release::{self, preview};
use crate::jobs::{Desk, Done};
use crate::outcome::ExitCode;
use crate::ports::Answer;
use crate::report;

/// Does a step of a release.
pub(super) fn run(global: &Global, stdout: Stdout, command: ReleaseCommand) -> Answer<Printed> {
    let ReleaseCommand { package, step } = command;
    let package = package.and_then(|package| package.0);
    let done = |name: &str, work: &dyn Fn(&Desk<'_>) -> Answer<Done>| {
        job(global, stdout, name, Trust::Gate, &|desk| {
            of_package(desk, package.as_ref(), work)
        })
    };
    let gate = |name: &str, work: &dyn Fn(&Desk<'_>) -> Answer<Done>| {
        done(name, &|desk| and_tell(desk, work))
    };
    match step {
        Release::Preview { asked, json: true } => with_desk(global, Trust::Gate, |desk| {
            let (text, possible) = of_package(desk, package.as_ref(), |desk| {
                preview::json(desk, &(&asked).into())
            })?;
            let code = if possible {
                ExitCode::Open
            } else {
                ExitCode::Refused
            };
            Ok(Printed { text, code })
        }),
        Release::Preview { asked, json: false } => done("release preview", &|desk| {
            preview::run(desk, &(&asked).into())
        }),
        Release::Prepare {
            asked,
            start,
            through_freeze,
            reason,
            dotenv,
            manifest,
        } => gate("release prepare", &|desk| {
            let files = Handover {
                dotenv: &dotenv,
                manifest: &manifest,
                nothing: match start.as_ref().and_then(|start| start.value()) {
                    Some(_) => Nothing::IsFine,
                    None => Nothing::IsRefused,
                },
            };
            let freezing = Freezing {
                through: through_freeze,
                reason: reason.as_deref().or(desk.ci.reason.as_deref()),
            };
            release::prepare::run(desk, &(&asked).into(), freezing, files)
        }),
        Release::Publish { prepared: of } => {
            let own = prepared(of);
            gate("release publish", &|desk| release::publish(desk, &own))
        }
        Release::Abort {
            reason,
            prepared: of,
        } => {
            let own = prepared(of);
            gate("release abort", &|desk| {
                release::abort(desk, &own, reason.as_deref())
            })
        }
        Release::Withdraw {
            version,
            reason,
            dotenv,
        } => gate("release withdraw", &|desk| {
            let reason = reason.as_deref().or(desk.ci.reason.as_deref());
            release::withdraw::run(desk, &version, reason, &dotenv)
        }),
        Release::Hotfix {
            merge_requests,
            from,
            reason,
        } => gate("release hotfix", &|desk| {
            let named = merge_requests.iter().flat_map(|one| one.0.iter().copied());
            let named: BTreeSet<u64> = named.collect();
            let wish = release::hotfix::Wish {
                named: &named,
                from: from.as_ref().and_then(|from| from.value()),
                reason: reason.as_deref().or(desk.ci.reason.as_deref()),
            };
            release::hotfix::run(desk, wish)
        }),
        Release::Recovered => gate("release recovered", &release::withdraw::recovered),
    }
}

/// Works by the rules of a package.
fn of_package<T>(
    desk: &Desk<'_>,
    asked: Option<&PackageName>,
    work: impl FnOnce(&Desk<'_>) -> Answer<T>,
) -> Answer<T> {
    let config = desk.config.at_package(asked)?;
    work(&Desk {
        config: &config,
        ..*desk
    })
}

/// Shows the open version: as a whole, or what of it belongs to each package.
pub(super) fn version(global: &Global, flags: &ShowVersion) -> Answer<Printed> {
    with_desk(global, Trust::Gate, |desk| {
        let versions = desk.journal.read()?.yard().versions;
        let home = &desk.ci.project;
        if !desk.config.versions.packages.is_empty() {
            let packages = preview::by_package(desk, &versions)?;
            return Ok(Printed::text(if flags.json {
                report::packages_json(&versions, &packages)
            } else if flags.markdown {
                report::packages_markdown(&versions, &packages, home)
            } else {
                report::packages_now(&versions, &packages, home)
            }));
        }
        let coming = preview::coming(desk, &versions, &Asked::default())?;
        let forward = release::forward::standing(desk, &versions)?;
        if flags.json {
            let text = report::version_json(&versions, &coming, forward.as_ref());
            return Ok(Printed::text(text));
        }
        let forward = forward.map_or(String::new(), |(number, forward)| {
            let line = report::forwarded(&number, &forward, &desk.ci.default_branch);
            format!("\n{line}")
        });
        let now = if flags.markdown {
            report::version_markdown(&versions, &coming, home)
        } else {
            report::version_now(&versions, &coming, home)
        };
        Ok(Printed::text(now.trim_end().to_owned() + &forward))
    })
}
