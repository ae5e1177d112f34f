//! Licenses with places for a year, a name and a project; the long ones only say where their text is.

/// A license as GitLab lists it.
pub(crate) struct License {
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) nickname: Option<&'static str>,
    pub(crate) popular: bool,
    pub(crate) source_url: &'static str,
    pub(crate) conditions: &'static [&'static str],
    pub(crate) permissions: &'static [&'static str],
    pub(crate) limitations: &'static [&'static str],
    /// With `[year]`, `[fullname]` and `[project]`.
    pub(crate) content: &'static str,
}

const ALL_USES: &[&str] = &[
    "commercial-use",
    "modifications",
    "distribution",
    "private-use",
];
const NO_LIABILITY: &[&str] = &["liability", "warranty"];
const NOTICE: &[&str] = &["include-copyright"];
const COPYLEFT: &[&str] = &[
    "include-copyright",
    "document-changes",
    "disclose-source",
    "same-license",
];

/// Every license on offer, by key.
pub(crate) const LICENSES: &[License] = &[
    License {
        key: "agpl-3.0",
        name: "GNU Affero General Public License v3.0",
        nickname: Some("GNU AGPLv3"),
        popular: false,
        source_url: "https://www.gnu.org/licenses/agpl-3.0.txt",
        conditions: COPYLEFT,
        permissions: ALL_USES,
        limitations: NO_LIABILITY,
        content: "[project]\nCopyright (C) [year]  [fullname]\n\nGNU Affero General Public License, version 3\nhttps://www.gnu.org/licenses/agpl-3.0.txt\n",
    },
    License {
        key: "apache-2.0",
        name: "Apache License 2.0",
        nickname: None,
        popular: true,
        source_url: "https://www.apache.org/licenses/LICENSE-2.0.txt",
        conditions: &["include-copyright", "document-changes"],
        permissions: ALL_USES,
        limitations: &["trademark-use", "liability", "warranty"],
        content: "Copyright [year] [fullname]\n\nApache License, Version 2.0\nhttps://www.apache.org/licenses/LICENSE-2.0\n",
    },
    License {
        key: "bsd-2-clause",
        name: "BSD 2-Clause \"Simplified\" License",
        nickname: None,
        popular: false,
        source_url: "https://opensource.org/licenses/BSD-2-Clause",
        conditions: NOTICE,
        permissions: ALL_USES,
        limitations: NO_LIABILITY,
        content: "BSD 2-Clause License\n\nCopyright (c) [year], [fullname]\n\nhttps://opensource.org/licenses/BSD-2-Clause\n",
    },
    License {
        key: "bsd-3-clause",
        name: "BSD 3-Clause \"New\" or \"Revised\" License",
        nickname: None,
        popular: false,
        source_url: "https://opensource.org/licenses/BSD-3-Clause",
        conditions: NOTICE,
        permissions: ALL_USES,
        limitations: NO_LIABILITY,
        content: "BSD 3-Clause License\n\nCopyright (c) [year], [fullname]\n\nhttps://opensource.org/licenses/BSD-3-Clause\n",
    },
    License {
        key: "gpl-3.0",
        name: "GNU General Public License v3.0",
        nickname: Some("GNU GPLv3"),
        popular: true,
        source_url: "https://www.gnu.org/licenses/gpl-3.0.txt",
        conditions: COPYLEFT,
        permissions: ALL_USES,
        limitations: NO_LIABILITY,
        content: "[project]\nCopyright (C) [year]  [fullname]\n\nGNU General Public License, version 3\nhttps://www.gnu.org/licenses/gpl-3.0.txt\n",
    },
    License {
        key: "lgpl-2.1",
        name: "GNU Lesser General Public License v2.1",
        nickname: Some("GNU LGPLv2.1"),
        popular: false,
        source_url: "https://www.gnu.org/licenses/lgpl-2.1.txt",
        conditions: COPYLEFT,
        permissions: ALL_USES,
        limitations: NO_LIABILITY,
        content: "[project]\nCopyright (C) [year]  [fullname]\n\nGNU Lesser General Public License, version 2.1\nhttps://www.gnu.org/licenses/lgpl-2.1.txt\n",
    },
    License {
        key: "mit",
        name: "MIT License",
        nickname: None,
        popular: true,
        source_url: "https://opensource.org/licenses/MIT",
        conditions: NOTICE,
        permissions: ALL_USES,
        limitations: NO_LIABILITY,
        content: "MIT License\n\nCopyright (c) [year] [fullname]\n\nhttps://opensource.org/licenses/MIT\n",
    },
    License {
        key: "mpl-2.0",
        name: "Mozilla Public License 2.0",
        nickname: None,
        popular: false,
        source_url: "https://www.mozilla.org/media/MPL/2.0/index.txt",
        conditions: &["disclose-source", "include-copyright", "same-license"],
        permissions: ALL_USES,
        limitations: &["liability", "trademark-use", "warranty"],
        content: "Mozilla Public License Version 2.0\nhttps://www.mozilla.org/media/MPL/2.0/index.txt\n",
    },
    License {
        key: "unlicense",
        name: "The Unlicense",
        nickname: None,
        popular: false,
        source_url: "https://unlicense.org/UNLICENSE",
        conditions: &[],
        permissions: ALL_USES,
        limitations: NO_LIABILITY,
        content: "[project] is dedicated to the public domain by [fullname].\n\nhttps://unlicense.org/\n",
    },
];
