//! The HTML report page: one self-contained file, readable without JavaScript, without a network, in light and dark, on a phone.
//!
//! Owns how the page looks. Computes no statistic: what it shows arrives as [`PageData`], which [`page_of`] makes of a study. Every string is shown as text, wherever it came from.

mod assets;
mod build;
mod charts;
mod client;
mod closing;
mod curves;
#[cfg(test)]
mod fixture;
mod layout;
mod matrix;
mod parts;
mod runs;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod types;

pub use build::page_of;
pub(crate) use types::PageData;

/// The page as HTML. A cell that names a size which is not in the list is left out.
pub fn render(page: &PageData) -> String {
    layout::document(page).into_string()
}
