//! (placeholder)
/// x
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options;
impl std::str::FromStr for Options {
    type Err = String;
    fn from_str(_: &str) -> Result<Self, String> {
        Ok(Self)
    }
}
