//! Projects: what they are and how they are set up.

use serde_json::json;

use super::entity::{flag, instant, shown};
use super::merge_request_lists::{filters, of_container, of_number};
use super::users::{access_level, member};
use crate::access::{self, Access, Role};
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, gid, one, record, time, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::members::Source;
use crate::store::places::Place;
use crate::store::projects::Project;

const FIELDS: &[Line] = &[
    field("id: ID!", |c| row(c, |row, _| gid("Project", row.id))),
    field("name: String!", |c| {
        row(c, |row, _| value(row.name.clone()))
    }),
    field("path: String!", |c| {
        row(c, |row, _| value(row.path.clone()))
    }),
    field("fullPath: ID!", |c| row(c, |_, path| value(path))),
    field("nameWithNamespace: String!", |c| {
        shown(c, "/name_with_namespace")
    }),
    field("description: String", |c| {
        row(c, |row, _| Found::Value(json!(row.settings.description)))
    }),
    field("descriptionHtml: String", |c| {
        row(c, |row, _| Found::Value(json!(row.settings.description)))
    }),
    field("visibility: String", |c| {
        row(c, |row, _| value(row.visibility.as_str()))
    }),
    field("webUrl: String", |c| shown(c, "/web_url")),
    field("webPath: String!", |c| {
        row(c, |_, path| value(format!("/{path}")))
    }),
    field("httpUrlToRepo: String", |c| shown(c, "/http_url_to_repo")),
    field("sshUrlToRepo: String", |c| shown(c, "/ssh_url_to_repo")),
    field("avatarUrl: String", |c| shown(c, "/avatar_url")),
    field("archived: Boolean", |c| {
        row(c, |row, _| value(row.settings.archived))
    }),
    field("createdAt: Time", |c| row(c, |row, _| time(row.created_at))),
    field("updatedAt: Time", |c| row(c, |row, _| time(row.updated_at))),
    field("lastActivityAt: Time", |c| {
        row(c, |row, _| time(row.last_activity_at))
    }),
    field("topics: [String!]", |c| {
        row(c, |row, _| Found::Value(json!(row.settings.topics)))
    }),
    field("tagList: String @deprecated", |c| {
        row(c, |row, _| value(row.settings.topics.join(", ")))
    }),
    field("starCount: Int!", |c| {
        row(c, |row, _| value(row.starred_by.len()))
    }),
    field("forksCount: Int!", |c| shown(c, "/forks_count")),
    field("isForked: Boolean!", |c| {
        row(c, |row, _| value(row.forked_from.is_some()))
    }),
    field("forkedFrom: Project", |c| {
        row(c, |row, _| one(row.forked_from.map(Object::Project))).map(|found| readable(c, found))
    }),
    field("importStatus: String", |c| {
        row(c, |row, _| value(row.import_status))
    }),
    field("openIssuesCount: Int", |c| {
        let Object::Project(id) = c.object else {
            return Ok(NOTHING);
        };
        let count = c.state().issues_of(*id).filter(|row| row.open).count();
        Ok(value(count))
    }),
    field("openMergeRequestsCount: Int", |c| {
        let Object::Project(id) = c.object else {
            return Ok(NOTHING);
        };
        let count = c
            .state()
            .merge_requests_of(*id)
            .filter(|row| row.is_open())
            .count();
        Ok(value(count))
    }),
    field("group: Group", |c| {
        row(c, |row, _| Found::One(Object::Group(row.namespace_id)))
            .map(|found| group_only(c, found))
    }),
    field("namespace: Namespace", |c| {
        row(c, |row, _| Found::One(Object::Namespace(row.namespace_id)))
    }),
    field("repository: Repository", |c| {
        let Object::Project(id) = c.object else {
            return Ok(NOTHING);
        };
        let may = access::may_read_code(&c.state(), c.user(), *id);
        Ok(one(may.then_some(Object::Repository(*id))))
    }),
    field("issuesEnabled: Boolean", |c| flag(c, "/issues_enabled")),
    field("mergeRequestsEnabled: Boolean", |c| {
        flag(c, "/merge_requests_enabled")
    }),
    field("wikiEnabled: Boolean", |c| flag(c, "/wiki_enabled")),
    field("snippetsEnabled: Boolean", |c| flag(c, "/snippets_enabled")),
    field("jobsEnabled: Boolean", |c| flag(c, "/jobs_enabled")),
    field("lfsEnabled: Boolean", |c| flag(c, "/lfs_enabled")),
    field("publicJobs: Boolean", |c| flag(c, "/public_jobs")),
    field("sharedRunnersEnabled: Boolean", |c| {
        flag(c, "/shared_runners_enabled")
    }),
    field("containerRegistryEnabled: Boolean", |c| {
        flag(c, "/container_registry_enabled")
    }),
    field("requestAccessEnabled: Boolean", |c| {
        flag(c, "/request_access_enabled")
    }),
    field("autocloseReferencedIssues: Boolean", |c| {
        flag(c, "/autoclose_referenced_issues")
    }),
    field("onlyAllowMergeIfPipelineSucceeds: Boolean", |c| {
        flag(c, "/only_allow_merge_if_pipeline_succeeds")
    }),
    field("onlyAllowMergeIfAllDiscussionsAreResolved: Boolean", |c| {
        flag(c, "/only_allow_merge_if_all_discussions_are_resolved")
    }),
    field("allowMergeOnSkippedPipeline: Boolean", |c| {
        flag(c, "/allow_merge_on_skipped_pipeline")
    }),
    field("removeSourceBranchAfterMerge: Boolean", |c| {
        flag(c, "/remove_source_branch_after_merge")
    }),
    field("printingMergeRequestLinkEnabled: Boolean", |c| {
        flag(c, "/printing_merge_request_link_enabled")
    }),
    field("mergeRequestsFfOnlyEnabled: Boolean", |c| {
        row(c, |row, _| value(row.settings.merge_method == "ff"))
    }),
    field("squashReadOnly: Boolean!", |c| {
        row(c, |row, _| {
            value(["always", "never"].contains(&row.settings.squash_option.as_str()))
        })
    }),
    field("mergeCommitTemplate: String", |c| {
        row(c, |row, _| {
            Found::Value(json!(row.settings.merge_commit_template))
        })
    }),
    field("squashCommitTemplate: String", |c| {
        row(c, |row, _| {
            Found::Value(json!(row.settings.squash_commit_template))
        })
    }),
    field("suggestionCommitMessage: String", |c| {
        row(c, |row, _| {
            Found::Value(json!(row.settings.suggestion_commit_message))
        })
    }),
    field("ciConfigPathOrDefault: String!", |c| {
        row(c, |row, _| {
            let path = row
                .settings
                .ci_config_path
                .clone()
                .filter(|path| !path.is_empty());
            value(path.unwrap_or_else(|| ".gitlab-ci.yml".to_owned()))
        })
    }),
    field("containerRepositoriesCount: Int!", |_| Ok(value(0))),
    field("markedForDeletionOn: Time", |c| {
        instant(c, "/marked_for_deletion_on")
    }),
    field("maxAccessLevel: AccessLevel!", |c| {
        let own = own_access(c);
        Ok(access_level(own.role))
    }),
    field("userPermissions: ProjectPermissions!", permissions),
    field("statistics: ProjectStatistics", |c| {
        if !own_access(c).at_least(Role::Reporter) {
            return Ok(NOTHING);
        }
        let Object::Project(id) = c.object else {
            return Ok(NOTHING);
        };
        let repository = c.world.shared.repository(*id);
        let head = c
            .state()
            .projects
            .get(*id)
            .and_then(|row| row.default_branch.clone());
        let commits = head
            .and_then(|branch| repository.commits(&[&format!("refs/heads/{branch}")]).ok())
            .map_or(0, |commits| commits.len());
        let data = json!({
            "buildArtifactsSize": 0.0, "commitCount": commits, "containerRegistrySize": 0.0, "lfsObjectsSize": 0.0,
            "packagesSize": 0.0, "pipelineArtifactsSize": 0.0, "repositorySize": 0.0, "snippetsSize": 0.0,
            "storageSize": 0.0, "uploadsSize": 0.0, "wikiSize": 0.0,
        });
        Ok(record("ProjectStatistics", data).found())
    }),
    field(
        "projectMembers(accessLevels: [AccessLevelEnum!], relations: [ProjectMemberRelation!] = [DIRECT, INHERITED], search: String, sort: MemberSort): MemberInterfaceConnection",
        members,
    ),
    field("languages: [RepositoryLanguage!]", |_| {
        Ok(Found::Many(Vec::new()))
    }),
    field("mergeRequest(iid: String!): MergeRequest", of_number),
    field(
        concat!("mergeRequests(", filters!(), "): MergeRequestConnection"),
        of_container,
    ),
];

/// The family of projects.
pub(super) const FAMILY: Family = Family {
    tables: &[object("Project", &[
        FIELDS,
        super::pipeline_lists::OF_PROJECT,
        super::labels::OF_PROJECT,
        super::ci::OF_PROJECT,
        super::releases::OF_PROJECT,
            super::runners::OF_PROJECT,
        super::issues::OF_CONTAINER,
        super::work_items::OF_CONTAINER,
    ])],
    sdl: "
        enum ProjectArchived { EXCLUDE INCLUDE ONLY }
        enum VisibilityLevelsEnum { internal private public }
        enum ProjectMemberRelation { DESCENDANTS DIRECT INHERITED INVITED_GROUPS SHARED_INTO_ANCESTORS }
        enum MemberSort { ACCESS_LEVEL_ASC ACCESS_LEVEL_DESC CREATED_ASC CREATED_DESC USER_FULL_NAME_ASC USER_FULL_NAME_DESC }
        type RepositoryLanguage { color: Color name: String! share: Float }
        type ProjectStatistics {
            buildArtifactsSize: Float! commitCount: Float! containerRegistrySize: Float lfsObjectsSize: Float! packagesSize: Float!
            pipelineArtifactsSize: Float repositorySize: Float! snippetsSize: Float storageSize: Float! uploadsSize: Float wikiSize: Float
        }
        type ProjectPermissions {
            adminOperations: Boolean! adminProject: Boolean! archiveProject: Boolean! changeNamespace: Boolean!
            changeVisibilityLevel: Boolean! createDeployment: Boolean! createIssue: Boolean! createLabel: Boolean!
            createMergeRequestFrom: Boolean! createMergeRequestIn: Boolean! createPipeline: Boolean! createPipelineSchedule: Boolean!
            createSnippet: Boolean! destroyPipeline: Boolean! downloadCode: Boolean! forkProject: Boolean! pushCode: Boolean!
            pushToDeleteProtectedBranch: Boolean! readCycleAnalytics: Boolean! readProject: Boolean! readProjectMember: Boolean!
            readMergeRequest: Boolean! removeProject: Boolean! renameProject: Boolean! requestAccess: Boolean! updatePipeline: Boolean!
            uploadFile: Boolean! viewEditPage: Boolean!
        }
    ",
};

fn row(call: &Call<'_>, read: fn(&Project, String) -> Found) -> Outcome {
    let Object::Project(id) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    Ok(state
        .projects
        .get(*id)
        .map_or(NOTHING, |row| read(row, state.project_path(row))))
}

fn group_only(call: &Call<'_>, found: Found) -> Found {
    match &found {
        Found::One(Object::Group(id)) if call.state().groups.get(*id).is_some() => found,
        Found::One(_) | Found::Many(_) | Found::Value(_) => NOTHING,
    }
}

/// A project that the caller may not see is not told.
fn readable(call: &Call<'_>, found: Found) -> Found {
    match &found {
        Found::One(Object::Project(id))
            if access::in_project(&call.state(), call.user(), *id).can_read =>
        {
            found
        }
        Found::One(_) | Found::Many(_) | Found::Value(_) => NOTHING,
    }
}

/// The caller's access in the call's project.
pub(super) fn own_access(call: &Call<'_>) -> Access {
    let Object::Project(id) = call.object else {
        return Access {
            role: None,
            can_read: false,
        };
    };
    access::in_project(&call.state(), call.user(), *id)
}

fn permissions(call: &Call<'_>) -> Outcome {
    let own = own_access(call);
    let code = matches!(call.object, Object::Project(id) if access::may_read_code(&call.state(), call.user(), *id));
    let from = |role: Role| own.at_least(role);
    let (user, developer, maintainer, owner) = (
        call.user().is_some() && own.can_read,
        from(Role::Developer),
        from(Role::Maintainer),
        from(Role::Owner),
    );
    let data = json!({
        "adminOperations": maintainer, "adminProject": maintainer, "archiveProject": owner, "changeNamespace": owner,
        "changeVisibilityLevel": owner, "createDeployment": developer, "createIssue": user, "createLabel": from(Role::Planner),
        "createMergeRequestFrom": developer, "createMergeRequestIn": user, "createPipeline": developer,
        "createPipelineSchedule": developer, "createSnippet": user, "destroyPipeline": owner, "downloadCode": code,
        "forkProject": user, "pushCode": developer, "pushToDeleteProtectedBranch": maintainer,
        "readCycleAnalytics": from(Role::Reporter), "readProject": own.can_read, "readProjectMember": own.can_read,
        "readMergeRequest": own.can_read, "removeProject": owner, "renameProject": maintainer,
        "requestAccess": user && own.role.is_none(), "updatePipeline": developer, "uploadFile": user,
        "viewEditPage": maintainer,
    });
    Ok(record("ProjectPermissions", data).found())
}

fn members(call: &Call<'_>) -> Outcome {
    let Object::Project(id) = call.object else {
        return Ok(NOTHING);
    };
    let relations = call.texts("relations").unwrap_or_default();
    let levels = call.texts("accessLevels");
    let search = call.text("search").unwrap_or_default().to_lowercase();
    let state = call.state();
    let own = Source::Project(*id);
    let mut seen: Vec<u64> = Vec::new();
    let mut found = Vec::new();
    let relation_of = |source: &Source| {
        if *source == own {
            "DIRECT"
        } else {
            "INHERITED"
        }
    };
    let invited = state.invited_groups(Place::Project(*id)).map(Source::Group);
    let sources = state
        .member_sources(own)
        .into_iter()
        .map(|source| (source, relation_of(&source)))
        .chain(invited.map(|source| (source, "INVITED_GROUPS")));
    for (source, relation) in sources {
        if !relations.contains(&relation) {
            continue;
        }
        for row in state.members.iter().filter(|row| row.source == source) {
            let user = state.users.get(row.user_id);
            let fits = user.is_some_and(|user| {
                user.username.to_lowercase().contains(&search)
                    || user.name.to_lowercase().contains(&search)
            });
            let word = format!("{:?}", row.role).to_uppercase();
            let level = levels
                .as_ref()
                .is_none_or(|levels| levels.contains(&word.as_str()));
            if fits && level && !seen.contains(&row.user_id) {
                seen.push(row.user_id);
                let name = if source == own {
                    "ProjectMember"
                } else {
                    "GroupMember"
                };
                found.push(member(&state, name, row.user_id, source, row.role));
            }
        }
    }
    Ok(Found::Many(found))
}
