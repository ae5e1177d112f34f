//! Pipelines to start from.

use super::Template;

/// All of them by name.
pub(super) const ALL: &[Template] = &[
    (
        "Android",
        "# A short start for Android projects.\nimage: eclipse-temurin:17\n\ntest:\n  stage: test\n  script:\n    - ./gradlew assembleDebug\n    - ./gradlew test\n",
    ),
    (
        "Bash",
        "# A short start for Bash projects.\nimage: busybox:latest\n\ntest:\n  stage: test\n  script:\n    - echo 'build, test, deploy'\n",
    ),
    (
        "C++",
        "# A short start for C++ projects.\nimage: gcc:latest\n\ntest:\n  stage: test\n  script:\n    - make\n    - make test\n",
    ),
    (
        "Chef",
        "# A short start for Chef projects.\nimage: ruby:latest\n\ntest:\n  stage: test\n  script:\n    - chef exec rspec\n",
    ),
    (
        "Clojure",
        "# A short start for Clojure projects.\nimage: clojure:lein\n\ntest:\n  stage: test\n  script:\n    - lein test\n",
    ),
    (
        "Composer",
        "# A short start for Composer projects.\nimage: composer:latest\n\ntest:\n  stage: test\n  script:\n    - composer install\n    - composer test\n",
    ),
    (
        "Crystal",
        "# A short start for Crystal projects.\nimage: crystallang/crystal:latest\n\ntest:\n  stage: test\n  script:\n    - shards install\n    - crystal spec\n",
    ),
    (
        "Dart",
        "# A short start for Dart projects.\nimage: dart:stable\n\ntest:\n  stage: test\n  script:\n    - dart pub get\n    - dart test\n",
    ),
    (
        "Django",
        "# A short start for Django projects.\nimage: python:latest\n\ntest:\n  stage: test\n  script:\n    - pip install -r requirements.txt\n    - python manage.py test\n",
    ),
    (
        "Docker",
        "# A short start for Docker projects.\nimage: docker:cli\n\ntest:\n  stage: test\n  script:\n    - docker build --pull -t \"$CI_REGISTRY_IMAGE\" .\n",
    ),
    (
        "dotNET",
        "# A short start for dotNET projects.\nimage: mcr.microsoft.com/dotnet/sdk:latest\n\ntest:\n  stage: test\n  script:\n    - dotnet build\n    - dotnet test\n",
    ),
    (
        "Elixir",
        "# A short start for Elixir projects.\nimage: elixir:latest\n\ntest:\n  stage: test\n  script:\n    - mix deps.get\n    - mix test\n",
    ),
    (
        "Flutter",
        "# A short start for Flutter projects.\nimage: ghcr.io/cirruslabs/flutter:stable\n\ntest:\n  stage: test\n  script:\n    - flutter pub get\n    - flutter test\n",
    ),
    (
        "Go",
        "# A short start for Go projects.\nimage: golang:latest\n\ntest:\n  stage: test\n  script:\n    - go vet ./...\n    - go test ./...\n",
    ),
    (
        "Gradle",
        "# A short start for Gradle projects.\nimage: gradle:jdk17\n\ntest:\n  stage: test\n  script:\n    - gradle build\n    - gradle check\n",
    ),
    (
        "Grails",
        "# A short start for Grails projects.\nimage: eclipse-temurin:11\n\ntest:\n  stage: test\n  script:\n    - ./grailsw test-app\n",
    ),
    (
        "Julia",
        "# A short start for Julia projects.\nimage: julia:latest\n\ntest:\n  stage: test\n  script:\n    - julia --project -e 'using Pkg; Pkg.test()'\n",
    ),
    (
        "Laravel",
        "# A short start for Laravel projects.\nimage: php:latest\n\ntest:\n  stage: test\n  script:\n    - composer install\n    - php artisan test\n",
    ),
    (
        "LaTeX",
        "# A short start for LaTeX projects.\nimage: texlive/texlive:latest\n\ntest:\n  stage: test\n  script:\n    - latexmk -pdf\n",
    ),
    (
        "Maven",
        "# A short start for Maven projects.\nimage: maven:3-eclipse-temurin-17\n\ntest:\n  stage: test\n  script:\n    - mvn verify\n",
    ),
    (
        "Nodejs",
        "# A short start for Nodejs projects.\nimage: node:latest\n\ntest:\n  stage: test\n  script:\n    - npm ci\n    - npm test\n",
    ),
    (
        "OpenShift",
        "# A short start for OpenShift projects.\nimage: registry.access.redhat.com/openshift3/ose-cli:latest\n\ntest:\n  stage: test\n  script:\n    - oc version\n",
    ),
    (
        "Packer",
        "# A short start for Packer projects.\nimage: hashicorp/packer:latest\n\ntest:\n  stage: test\n  script:\n    - packer validate .\n",
    ),
    (
        "PHP",
        "# A short start for PHP projects.\nimage: php:latest\n\ntest:\n  stage: test\n  script:\n    - php -l index.php\n",
    ),
    (
        "Python",
        "# A short start for Python projects.\nimage: python:latest\n\ntest:\n  stage: test\n  script:\n    - pip install .\n    - python -m unittest\n",
    ),
    (
        "Ruby",
        "# A short start for Ruby projects.\nimage: ruby:latest\n\ntest:\n  stage: test\n  script:\n    - bundle install\n    - bundle exec rake\n",
    ),
    (
        "Rust",
        "# A short start for Rust projects.\nimage: rust:latest\n\ntest:\n  stage: test\n  script:\n    - cargo build\n    - cargo test\n",
    ),
    (
        "Scala",
        "# A short start for Scala projects.\nimage: sbtscala/scala-sbt:latest\n\ntest:\n  stage: test\n  script:\n    - sbt test\n",
    ),
    (
        "Swift",
        "# A short start for Swift projects.\nimage: swift:latest\n\ntest:\n  stage: test\n  script:\n    - swift build\n    - swift test\n",
    ),
    (
        "Terraform",
        "# A short start for Terraform projects.\nimage: hashicorp/terraform:light\n\ntest:\n  stage: test\n  script:\n    - terraform init\n    - terraform validate\n",
    ),
];
