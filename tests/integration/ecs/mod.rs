//! Sweeps on ECS against the stand-in of AWS, and the stand-in against the SDK.

mod standin;
