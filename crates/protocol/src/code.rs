//! The error vocabulary: every code with its number, name, description, advice and class (rows A14 and A24).
//!
//! Documented constants keep their documented names and numbers. The table is split by family over the files of
//! the folder `code`; each holds a macro that hands its entries on to the next, and `vocabulary!` makes [`Code`].

use core::fmt;

#[macro_use]
mod individualization;
#[macro_use]
mod license;
#[macro_use]
mod device;
#[macro_use]
mod service;
#[macro_use]
mod own;
#[cfg(test)]
mod tests;

/// What a caller does about a code (row A14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// It is done.
    Success,
    /// It is no failure, and the user should know it.
    Information,
    /// The same attempt may succeed when it is made again.
    Retry,
    /// The user can remove the cause, or has to decide.
    AskUser,
    /// Neither another attempt nor a decision of the user helps.
    Fatal,
}

impl ErrorClass {
    /// The class's name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Information => "information",
            Self::Retry => "retry",
            Self::AskUser => "ask_user",
            Self::Fatal => "fatal",
        }
    }
}

/// Where a code comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// The error table of the individualization document.
    Individualization,
    /// Licenses: acquisition, evaluation, chains, burning, backup, clock and store.
    License,
    /// The environment, devices in the network and revocation.
    Device,
    /// What servers and portable devices say, trusted time and metering.
    Service,
    /// Admit's own.
    Own,
}

impl Family {
    /// All families, in the order of [`Code::ALL`].
    pub const ALL: &[Self] = &[Self::Individualization, Self::License, Self::Device, Self::Service, Self::Own];

    /// The family's heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Individualization => "Individualization",
            Self::License => "Licenses",
            Self::Device => "Environment, network devices and revocation",
            Self::Service => "Servers, portable devices, time and metering",
            Self::Own => "Admit's own",
        }
    }
}

/// What the table says about a code.
struct Entry {
    name: &'static str,
    aliases: &'static [&'static str],
    family: Family,
    class: ErrorClass,
    description: &'static str,
    action: &'static str,
}

/// Makes [`Code`] of the families that the macros of the folder `code` have collected.
macro_rules! vocabulary {
    ([] $($family:ident {
        $($name:ident $(| $alias:ident)* = $number:literal, $class:ident : $description:literal $action:literal)*
    })*) => {
        /// A code: an HRESULT under the name that its document gives it.
        #[expect(non_camel_case_types, reason = "the names are the documents' own")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum Code {
            $($(#[doc = $description] $name = $number,)*)*
        }

        impl Code {
            /// All codes, family by family, and by number within a family.
            pub const ALL: &[Self] = &[$($(Self::$name,)*)*];

            /// The code of this number.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number {
                    $($($number => Some(Self::$name),)*)*
                    _ => None,
                }
            }

            const fn entry(self) -> &'static Entry {
                match self {
                    $($(Self::$name => &Entry {
                        name: stringify!($name),
                        aliases: &[$(stringify!($alias)),*],
                        family: Family::$family,
                        class: ErrorClass::$class,
                        description: $description,
                        action: $action,
                    },)*)*
                }
            }
        }
    };
}

individualization_codes! { [license_codes device_codes service_codes own_codes vocabulary] }

impl Code {
    /// The number, an HRESULT.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The constant's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// Other names of the same thing, misspelled in the documents or as later systems spell it.
    #[must_use]
    pub const fn aliases(self) -> &'static [&'static str] {
        self.entry().aliases
    }

    /// What happened, in one sentence.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.entry().description
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub const fn action(self) -> &'static str {
        self.entry().action
    }

    /// Whether to try again, to ask the user, or to give up.
    #[must_use]
    pub const fn class(self) -> ErrorClass {
        self.entry().class
    }

    /// Where the code comes from.
    #[must_use]
    pub const fn family(self) -> Family {
        self.entry().family
    }

    /// The code of this name or alias, in capitals or not.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let is_name = |known: &str| known.eq_ignore_ascii_case(name);
        Self::ALL.iter().copied().find(|code| is_name(code.name()) || code.aliases().iter().copied().any(is_name))
    }

    /// The code that a person means: a name, an alias, or a number as `0xC00D2841`, `C00D2841` or in decimal,
    /// where tools that take an HRESULT for a signed number print it negative.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::from_name(text).or_else(|| Self::from_number(parse_number(text)?))
    }

    /// The line that tells a person what happened this time: `NAME (0xCODE): sentence. What to do: sentence.`
    ///
    /// It is one line whatever the sentence holds: control characters become spaces.
    #[must_use]
    pub fn line(self, sentence: &str) -> String {
        let sentence = sentence.replace(char::is_control, " ");
        let sentence = sentence.trim();
        let stop = if sentence.ends_with(['.', '!', '?']) { "" } else { "." };
        format!("{self}: {sentence}{stop} What to do: {}", self.action())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:08X})", self.name(), self.number())
    }
}

/// A number as people copy it. Eight digits are hexadecimal even where all of them are decimal ones.
fn parse_number(text: &str) -> Option<u32> {
    let prefixed = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let bare = Some(text).filter(|text| text.len() == HEX_DIGITS);
    match prefixed.or(bare) {
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok().or_else(|| text.parse().ok().map(i32::cast_unsigned)),
    }
}

const HEX_DIGITS: usize = 8;
