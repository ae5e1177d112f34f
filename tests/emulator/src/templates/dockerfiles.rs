//! Recipes of container images.

use super::Template;

/// All of them by name.
pub(super) const ALL: &[Template] = &[
    ("Binary", "FROM scratch\nCOPY app /app\nCMD [\"/app\"]\n"),
    (
        "Binary-alpine",
        "FROM alpine:latest\nCOPY app /app\nCMD [\"/app\"]\n",
    ),
    (
        "Golang",
        "FROM golang:latest AS build\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /app .\n\nFROM scratch\nCOPY --from=build /app /app\nCMD [\"/app\"]\n",
    ),
    (
        "HTTPd",
        "FROM httpd:alpine\nCOPY ./ /usr/local/apache2/htdocs/\n",
    ),
    (
        "Node",
        "FROM node:latest\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nEXPOSE 8080\nCMD [\"npm\", \"start\"]\n",
    ),
    ("PHP", "FROM php:apache\nCOPY . /var/www/html/\n"),
    (
        "Python",
        "FROM python:latest\nWORKDIR /app\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt\nCOPY . .\nCMD [\"python\", \"app.py\"]\n",
    ),
    (
        "Ruby",
        "FROM ruby:latest\nWORKDIR /app\nCOPY Gemfile* ./\nRUN bundle install\nCOPY . .\nCMD [\"ruby\", \"app.rb\"]\n",
    ),
    (
        "Rust",
        "FROM rust:latest AS build\nWORKDIR /src\nCOPY . .\nRUN cargo build --release\n\nFROM debian:stable-slim\nCOPY --from=build /src/target/release/app /app\nCMD [\"/app\"]\n",
    ),
    (
        "Swift",
        "FROM swift:latest\nWORKDIR /app\nCOPY . .\nRUN swift build -c release\nCMD [\".build/release/app\"]\n",
    ),
];
