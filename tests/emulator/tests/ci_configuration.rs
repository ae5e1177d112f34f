//! Configurations compiled as a whole: what a pipeline becomes of them, and how GitLab words what is wrong with them.

#[path = "ci/given.rs"]
mod given;
#[path = "ci/includes.rs"]
mod includes;
#[path = "ci/inputs.rs"]
mod inputs;
#[path = "ci/job_inputs.rs"]
mod job_inputs;
#[path = "ci/jobs.rs"]
mod jobs;
#[path = "ci/keywords.rs"]
mod keywords;
#[path = "ci/linting.rs"]
mod linting;
#[path = "ci/pipelines.rs"]
mod pipelines;
#[path = "ci/repeated_wordings.rs"]
mod repeated_wordings;
#[path = "ci/samples.rs"]
mod samples;
#[path = "ci/spec_includes.rs"]
mod spec_includes;
#[path = "ci/wordings.rs"]
mod wordings;
