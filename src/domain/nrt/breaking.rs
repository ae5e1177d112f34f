//! A person takes the environment away from the run that holds it.

use super::{Abandoned, Environment, Holder};
use crate::domain::event::Fact;
use crate::domain::ids::{Epoch, TrialId, UserName};

/// Why a lease cannot be broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unbreakable {
    /// Nobody holds the environment.
    Free,
    /// Another lease than the one that was meant is in force.
    Another {
        /// The one in force.
        epoch: Epoch,
    },
    /// What its trial validated is being landed: a merge that is under way cannot be called back.
    Landing {
        /// Who lands it.
        holder: Holder,
        /// What was validated.
        trial: TrialId,
    },
}

/// The facts by which a person takes the environment away from the lease that was looked at; its trial is abandoned, so that its
/// change sets wait again.
///
/// # Errors
/// Why it cannot be taken away.
pub fn break_lease(
    environment: &Environment,
    meant: Epoch,
    reason: &str,
    by: &UserName,
) -> Result<Vec<Fact>, Unbreakable> {
    let Some(lease) = &environment.lease else {
        return Err(Unbreakable::Free);
    };
    if lease.epoch != meant {
        return Err(Unbreakable::Another { epoch: lease.epoch });
    }
    let mut facts = Vec::new();
    if let Some(trial) = &environment.trial {
        if trial.validated {
            return Err(Unbreakable::Landing {
                holder: lease.holder.clone(),
                trial: trial.id,
            });
        }
        facts.push(Fact::TrialAbandoned {
            trial: trial.id,
            reason: Abandoned::Broken,
        });
    }
    facts.push(Fact::LeaseBroken {
        epoch: lease.epoch,
        holder: lease.holder.clone(),
        reason: reason.to_owned(),
        broken_by: by.clone(),
    });
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{JobId, PipelineId};
    use crate::domain::nrt::{Candidate, Lease, Trial};
    use jiff::Timestamp;

    #[test]
    fn a_lease_is_broken_only_when_it_is_the_one_that_was_meant_and_nothing_lands() {
        let by = "mara".parse().unwrap();
        let holder = Holder {
            project: "shop/web".parse().unwrap(),
            pipeline: PipelineId(1),
            job: JobId(10),
            user: None,
        };
        let at = Timestamp::UNIX_EPOCH;
        let mut environment = Environment {
            epoch: Some(Epoch(4)),
            lease: Some(Lease {
                epoch: Epoch(4),
                holder,
                granted_at: at,
                until: at,
            }),
            ..Environment::default()
        };
        assert_eq!(
            break_lease(&Environment::default(), Epoch(4), "hangs", &by),
            Err(Unbreakable::Free)
        );
        assert_eq!(
            break_lease(&environment, Epoch(3), "hangs", &by),
            Err(Unbreakable::Another { epoch: Epoch(4) })
        );
        let sha = |digit: &str| digit.repeat(40).parse().unwrap();
        environment.trial = Some(Trial {
            id: TrialId(4),
            candidate: Candidate {
                commit: sha("a"),
                base: sha("b"),
                reference: "refs/x".into(),
            },
            change_sets: Vec::new(),
            started_at: at,
            placed: Vec::new(),
            landed: Vec::new(),
            validated: false,
        });
        let facts = break_lease(&environment, Epoch(4), "hangs", &by).unwrap();
        assert!(matches!(facts[0], Fact::TrialAbandoned { .. }), "{facts:?}");
        assert!(matches!(&facts[1], Fact::LeaseBroken { broken_by, .. } if *broken_by == by));
        environment.trial.as_mut().unwrap().validated = true;
        assert!(matches!(
            break_lease(&environment, Epoch(4), "hangs", &by),
            Err(Unbreakable::Landing { .. })
        ));
    }
}
