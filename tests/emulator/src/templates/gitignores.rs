//! Lists of files that git ignores.

use super::Template;

/// All of them by name.
pub(super) const ALL: &[Template] = &[
    ("Actionscript", "bin/\n.settings/\n*.swf\n"),
    ("Ada", "*.o\n*.ali\n"),
    (
        "Android",
        ".gradle/\nbuild/\nlocal.properties\n*.apk\n.idea/\n",
    ),
    ("C", "*.o\n*.a\n*.so\n*.exe\n"),
    ("C++", "*.o\n*.obj\n*.so\n*.dll\n*.exe\nbuild/\n"),
    ("Clojure", "/target/\n/classes/\n.lein-*\n.nrepl-port\n"),
    (
        "CMake",
        "CMakeCache.txt\nCMakeFiles/\nMakefile\ncmake_install.cmake\n",
    ),
    ("Composer", "composer.phar\n/vendor/\n"),
    ("Dart", ".dart_tool/\n.packages\nbuild/\n"),
    ("Elixir", "/_build\n/deps\n*.beam\nerl_crash.dump\n"),
    ("Erlang", "*.beam\n_build/\n.rebar3/\n"),
    ("Go", "*.test\n*.out\nvendor/\ngo.work\n"),
    ("Gradle", ".gradle\nbuild/\n!gradle-wrapper.jar\n"),
    ("Haskell", "dist\ndist-newstyle\n*.hi\n*.o\n.stack-work/\n"),
    ("Java", "*.class\n*.jar\n*.war\n*.log\n"),
    ("Julia", "*.jl.cov\nManifest.toml\ndeps/deps.jl\n"),
    ("Kotlin", "*.class\n*.jar\n.gradle/\nbuild/\n"),
    ("LaTeX", "*.aux\n*.log\n*.out\n*.toc\n*.synctex.gz\n"),
    ("Lua", "luac.out\n*.rock\n/.luarocks\n"),
    (
        "Maven",
        "target/\npom.xml.tag\ndependency-reduced-pom.xml\n",
    ),
    ("Nim", "nimcache/\n*.exe\n"),
    (
        "Node",
        "node_modules/\nnpm-debug.log*\n.npm\n.env\ndist/\ncoverage/\n",
    ),
    ("OCaml", "*.cmo\n*.cmi\n_build/\n"),
    ("Perl", "/blib/\nMYMETA.*\n*.bak\n"),
    (
        "Python",
        "__pycache__/\n*.py[cod]\n.venv/\ndist/\nbuild/\n.pytest_cache/\n",
    ),
    ("R", ".Rhistory\n.RData\n.Rproj.user/\n"),
    (
        "Rails",
        "/log/*\n/tmp/*\n/public/assets\n/config/master.key\n",
    ),
    (
        "Ruby",
        "*.gem\n/.bundle/\n/coverage/\n/pkg/\n.byebug_history\n",
    ),
    ("Rust", "/target\n**/*.rs.bk\n"),
    ("Scala", "*.class\ntarget/\nproject/target/\n"),
    ("Swift", ".build/\nxcuserdata/\n*.xcodeproj\nDerivedData/\n"),
    (
        "Terraform",
        ".terraform/\n*.tfstate\n*.tfstate.*\ncrash.log\n",
    ),
    ("Unity", "[Ll]ibrary/\n[Tt]emp/\n[Oo]bj/\n[Bb]uild/\n"),
    ("VisualStudio", ".vs/\nbin/\nobj/\n*.user\n"),
    ("Zig", "zig-cache/\nzig-out/\n"),
];
