//! stockmill: from a folder of AI-generated images, videos and 3D models to bundles that stock
//! marketplaces take. `docs/ARCHITECTURE.md` shows the rooms and the doors between them.

pub mod model;

pub mod records;

pub mod market;

pub mod config;

pub mod plan;

pub mod craft;

pub mod intake;

pub mod vault;

pub mod make;

pub mod report;

pub mod service;

#[cfg(feature = "delivery")]
pub mod deliver;

pub mod cli;
