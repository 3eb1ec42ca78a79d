//! How a policy says rights (row B04): as the document's two arrays of four bytes, by their names, or not at all.

use admit_license::{Rights, RightsArray, final_rights};

use super::value::Value;

/// How the rights of a license come from those that were requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RightsRule {
    /// `(requested & first) | second`.
    Array(RightsArray),
    /// These, whatever was requested.
    Exactly(Rights),
    /// What was requested.
    Requested,
}

impl RightsRule {
    /// Eight bytes or names, in a list or as a text with commas; nothing gives what was requested.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Nothing => Ok(Self::Requested),
            Value::Text(text) => Self::read(&Value::List(text.split(',').map(|item| item_of(item.trim())).collect())),
            Value::List(items) if items.iter().any(|item| matches!(item, Value::Number(_))) => bytes(items),
            Value::List(items) => names(items),
            other => Err(other.expected("eight bytes, or names of rights")),
        }
    }

    /// How it comes to what rights, in names, where these are requested and those are added.
    pub(super) fn told(self, requested: Rights, added: Rights) -> String {
        let set = |rights: Rights| format!("{{{}}}", rights.names().collect::<Vec<_>>().join(", "));
        let rule = match self {
            Self::Array(array) => {
                format!("(requested {} AND {}) OR {}", set(requested), set(array.allowed()), set(array.given()))
            }
            Self::Exactly(rights) => set(rights),
            Self::Requested => format!("requested {}", set(requested)),
        };
        let also = if added == Rights::NONE { String::new() } else { format!(" OR {}", set(added)) };
        let is_plain = matches!(self, Self::Exactly(_)) && also.is_empty();
        let result = if is_plain { String::new() } else { format!(" = {}", set(self.apply(requested) | added)) };
        format!("rights = {rule}{also}{result}")
    }

    /// The rights of the license.
    pub(super) fn apply(self, requested: Rights) -> Rights {
        match self {
            Self::Array(array) => final_rights(requested, Some(array)),
            Self::Exactly(rights) => rights,
            Self::Requested => final_rights(requested, None),
        }
    }
}

fn item_of(text: &str) -> Value {
    text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Number)
}

fn bytes(items: &[Value]) -> Result<RightsRule, String> {
    let bytes = items.iter().map(|item| item.number(0u8, u8::MAX)).collect::<Result<Vec<u8>, _>>();
    let bytes = bytes.map_err(|error| format!("a byte of the rights: {error}"))?;
    let count = bytes.len();
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| format!("expected eight bytes for the rights, found {count}"))?;
    RightsArray::from_bytes(bytes).map(RightsRule::Array).map_err(|error| error.to_string())
}

fn names(items: &[Value]) -> Result<RightsRule, String> {
    let mut rights = Rights::NONE;
    for item in items {
        let name = item.text().map_err(|error| format!("a right's name: {error}"))?;
        let named = (0..u32::BITS).filter_map(|bit| Rights::from_bits(1 << bit));
        let found = named.into_iter().find(|right| right.names().eq([name]));
        let all = || Rights::ALL.names().collect::<Vec<_>>().join(", ");
        rights = rights | found.ok_or_else(|| format!("there is no right {name:?}; the rights are {}", all()))?;
    }
    Ok(RightsRule::Exactly(rights))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RightsRule, String> {
        RightsRule::read(&Value::Text(text.to_owned()))
    }

    #[test]
    fn b04_eight_bytes_are_the_documents_two_arrays() {
        let rule = read("13,0,0,0,0,0,0,0").unwrap();
        let issue = |requested| rule.apply(Rights::from_bits_masked(requested)).bits();
        assert_eq!((issue(7), issue(127)), (5, 13));
        assert_eq!(read("3, 0, 0, 0, 3, 0, 0, 0").unwrap(), RightsRule::Array(RightsArray::DEFAULT));
        let list = [3, 0, 0, 0, 3, 0, 0, 0].map(Value::Number).to_vec();
        assert_eq!(RightsRule::read(&Value::List(list)).unwrap(), RightsRule::Array(RightsArray::DEFAULT));
    }

    #[test]
    fn b04_no_rights_array_gives_what_was_requested() {
        let rule = RightsRule::read(&Value::Nothing).unwrap();
        assert_eq!(rule.apply(Rights::from_bits_masked(0xff)).bits(), 0x7f);
    }

    #[test]
    fn b04_mistakes_in_the_bytes_are_named() {
        let told = |text: &str| read(text).unwrap_err();
        assert!(told("128,0,0,0,0,0,0,0").contains("byte 0"), "{}", told("128,0,0,0,0,0,0,0"));
        assert!(told("0,0,0,0,0,1,0,0").contains("byte 5"));
        assert!(told("3,0,0,0").contains("found 4"));
        assert!(told("256,0,0,0,0,0,0,0").contains("0 to 255"));
        assert!(told("3,0,0,0,play,0,0,0").contains("0 to 255"));
    }

    #[test]
    fn b04_the_arithmetic_is_told_in_names() {
        let told = |text, requested, added| read(text).unwrap().told(Rights::from_bits_masked(requested), added);
        let (play, none) = ("{play, no-recovery}", Rights::NONE);
        let array = "(requested {play, transfer-to-non-sdmi, no-recovery} AND {play, no-recovery, burn-to-cd}) OR {}";
        assert_eq!(told("13,0,0,0,0,0,0,0", 7, none), format!("rights = {array} = {play}"));
        assert_eq!(told("play", 7, none), "rights = {play}");
        assert_eq!(told("play", 7, Rights::NO_RECOVERY), format!("rights = {{play}} OR {{no-recovery}} = {play}"));
        let requested = RightsRule::Requested.told(Rights::from_bits_masked(5), none);
        assert_eq!(requested, format!("rights = requested {play} = {play}"));
    }

    #[test]
    fn b05_names_stand_for_exactly_these_rights() {
        let rule = read("play, burn-to-cd, playlist-burn").unwrap();
        let expected = Rights::PLAY | Rights::BURN_TO_CD | Rights::PLAYLIST_BURN;
        assert_eq!(rule.apply(Rights::ALL), expected);
        for right in Rights::ALL.names() {
            assert_eq!(read(right).unwrap().apply(Rights::NONE).to_string(), right);
        }
        assert!(read("paly").unwrap_err().contains("the rights are play, "));
    }
}
