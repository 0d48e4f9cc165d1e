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
/// x
pub struct Embedded;
/// x
#[derive(serde::Serialize)]
pub struct ServerReport {
    /// x
    pub threads: u32,
}
impl ServerReport {
    /// x
    pub fn cpu_ns(&self) -> u64 {
        0
    }
}
impl Embedded {
    /// x
    pub async fn reset(&mut self) -> Result<(), String> {
        Ok(())
    }
    /// x
    pub async fn report(&mut self) -> Result<ServerReport, String> {
        Err(String::new())
    }
}
/// x
#[derive(Default)]
pub struct ProcessConfig {
    /// x
    pub options: Options,
}
/// x
pub struct Ready {
    /// x
    pub source_bucket: String,
    /// x
    pub endpoint_url: String,
    /// x
    pub access_key: String,
    /// x
    pub secret_key: String,
}
impl Embedded {
    /// x
    pub async fn start(_: &std::path::Path, _: &ProcessConfig) -> Result<Self, String> {
        Err("to come".into())
    }
    /// x
    pub fn ready(&self) -> &Ready {
        todo!()
    }
    /// x
    pub async fn stop(self) {}
}
