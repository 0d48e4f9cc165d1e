//! What `completions` and `man` take, and what their help says.

use super::setting::Takes::Value;
use super::setting::{Setting, settings};

/// The shells that have completions.
pub const SHELLS: &[&str] = &["bash", "elvish", "fish", "powershell", "zsh"];

/// Settings of `man`.
pub(super) const MAN: &[Setting] = settings! {
    "Where it goes" {
        "out" -'o' [] Value("DIR"), "", "Write every page into this folder instead of one to stdout", "Write every page into this folder";
    }
};

pub(super) const COMPLETIONS_ABOUT: &str = "Print completions for a shell";

/// Examples below `completions --help`.
pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(parfetch completions bash)                 in ~/.bashrc
  parfetch completions zsh > \"${fpath[1]}/_parfetch\"
  parfetch completions fish > ~/.config/fish/completions/parfetch.fish";

pub(super) const MAN_ABOUT: &str = "Print a page of the manual, or write all of them into a folder";

/// Examples below `man --help`.
pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  parfetch man run | man -l -
  parfetch man --out ~/.local/share/man/man1";
