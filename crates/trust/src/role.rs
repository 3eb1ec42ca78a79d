//! What a certificate may be used for: extended key usages under Admit's arc, each as a value and as a type.

use core::fmt;

use crate::oid::{self, Oid};

/// The one purpose of a certificate, as its critical extended key usage (RFC 5280 section 4.2.1.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Signs licenses and license responses, and receives challenges.
    License,
    /// Signs the time: the license server time certificate.
    Time,
    /// Signs individualized components and their client certificates.
    Individualization,
    /// Signs revocation information and lists.
    Revocation,
    /// Receives metering reports.
    Metering,
    /// Restores licenses from backups.
    Backup,
    /// Signs content headers.
    Packaging,
    /// Issues client certificates to components that are not individualized.
    Enrolment,
    /// Names an application and its security level.
    Application,
    /// Names a client's component: its keys, version, level and clock.
    Client,
    /// Names a device's hardware: a key that does not leave it, and the clock that is protected in it.
    Hardware,
}

impl Role {
    /// Every role, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::License,
        Self::Time,
        Self::Individualization,
        Self::Revocation,
        Self::Metering,
        Self::Backup,
        Self::Packaging,
        Self::Enrolment,
        Self::Application,
        Self::Client,
        Self::Hardware,
    ];

    /// The last number of the role's object identifier.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::License => 1,
            Self::Time => 2,
            Self::Individualization => 3,
            Self::Revocation => 4,
            Self::Metering => 5,
            Self::Backup => 6,
            Self::Packaging => 7,
            Self::Enrolment => 8,
            Self::Application => 9,
            Self::Client => 10,
            Self::Hardware => 11,
        }
    }

    /// The role's name in messages and in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::License => "license",
            Self::Time => "time",
            Self::Individualization => "individualization",
            Self::Revocation => "revocation",
            Self::Metering => "metering",
            Self::Backup => "backup",
            Self::Packaging => "packaging",
            Self::Enrolment => "enrolment",
            Self::Application => "application",
            Self::Client => "client",
            Self::Hardware => "hardware",
        }
    }

    /// Whether certificates of this role sign client certificates.
    #[must_use]
    pub const fn issues_clients(self) -> bool {
        matches!(self, Self::Enrolment | Self::Individualization)
    }

    pub(crate) fn oid(self) -> Oid {
        Oid::under_arc(&[oid::ROLES, self.number()])
    }

    pub(crate) fn from_oid(oid: &Oid) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.oid() == *oid)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A role as a type: what a [`Verified`](crate::Verified) certificate was verified for. The types below are all there
/// are, one for each [`Role`].
pub trait Marker: sealed::Sealed {
    /// The role that the type stands for.
    const ROLE: Role;
}

/// A role whose certificates are about a P-256 key: all but [`Time`].
pub trait P256Marker: Marker {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! markers {
    ($($name:ident)*) => {$(
        #[doc = concat!("[`Role::", stringify!($name), "`] as a type. It has no values.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {}

        impl sealed::Sealed for $name {}

        impl Marker for $name {
            const ROLE: Role = Role::$name;
        }
    )*};
}

markers! { License Time Individualization Revocation Metering Backup Packaging Enrolment Application Client Hardware }

macro_rules! p256_markers {
    ($($name:ident)*) => {$(
        impl P256Marker for $name {}
    )*};
}

p256_markers! { License Individualization Revocation Metering Backup Packaging Enrolment Application Client Hardware }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_identifiers_are_each_roles_own() {
        for (role, number) in Role::ALL.into_iter().zip(1..) {
            assert_eq!(role.number(), number);
            assert_eq!(Role::from_oid(&role.oid()), Some(role));
            assert_eq!(role.oid(), Oid::under_arc(&[1, number]));
            assert_eq!(role.to_string(), role.name());
            assert_eq!(Role::ALL.iter().filter(|other| other.name() == role.name()).count(), 1, "{role}");
        }
        for other in [Oid::under_arc(&[1, 0]), Oid::under_arc(&[1, 12]), Oid::under_arc(&[2, 1])] {
            assert_eq!(Role::from_oid(&other), None);
        }
    }

    #[test]
    fn two_roles_issue_clients() {
        let issuers: Vec<Role> = Role::ALL.into_iter().filter(|role| role.issues_clients()).collect();
        assert_eq!(issuers, [Role::Individualization, Role::Enrolment]);
    }

    #[test]
    fn every_role_is_a_type_of_its_own() {
        macro_rules! roles {
            ($($name:ident)*) => { [$($name::ROLE),*] };
        }
        let types = roles!(License Time Individualization Revocation Metering Backup Packaging Enrolment Application Client Hardware);
        assert_eq!(types, Role::ALL);
    }
}
