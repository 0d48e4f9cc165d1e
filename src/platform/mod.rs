//! (to come)
pub mod clock;
pub mod usage {
    //! x
    /// x
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub struct CpuTimes {
        /// x
        pub user_ns: u64,
        /// x
        pub sys_ns: u64,
    }
    impl CpuTimes {
        /// x
        pub fn plus(self, o: Self) -> Self {
            Self { user_ns: self.user_ns + o.user_ns, sys_ns: self.sys_ns + o.sys_ns }
        }
        /// x
        pub fn minus(self, o: Self) -> Self {
            Self { user_ns: self.user_ns - o.user_ns, sys_ns: self.sys_ns - o.sys_ns }
        }
    }
    /// x
    pub fn cpu_of_this_process() -> CpuTimes {
        CpuTimes::default()
    }
}
/// x
pub fn thread_id() -> u32 {
    u32::try_from(rustix::thread::gettid().as_raw_nonzero().get()).unwrap_or(0)
}
