//! What a release of a hundred change sets costs.
