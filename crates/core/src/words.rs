//! Enums whose values are words of the settings and of results: value, word, and both ways between them, from one list.

/// Declares such an enum: each value with its word, in the order in which tables show them. Nothing can leave one out.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $($(#[$about:meta])* $value:ident = $word:literal,)+
        }
    ) => {
        $(#[$attribute])*
        pub enum $name {
            $(
                $(#[$about])*
                #[serde(rename = $word)]
                $value,
            )+
        }

        impl $name {
            /// The words that stand in settings, file names and results.
            pub const WORDS: &[&str] = &[$($word),+];

            /// Every value, in the order of the words.
            pub const ALL: [Self; Self::WORDS.len()] = [$(Self::$value),+];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL
                    .into_iter()
                    .find(|value| value.as_str() == text)
                    .ok_or_else(|| format!("`{text}` is not one of {}", Self::WORDS.join(", ")))
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use crate::plan::Mode;

    #[test]
    fn words_survive_a_round_trip() {
        for mode in Mode::ALL {
            assert_eq!(mode.to_string().parse::<Mode>().unwrap(), mode);
        }
        assert_eq!(
            "fiber".parse::<Mode>().unwrap_err(),
            "`fiber` is not one of async, thread, process"
        );
    }
}
