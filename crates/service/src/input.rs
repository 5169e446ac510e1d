//! How input structs are declared.

/// Declares an operation's input: every member is optional on the wire, and left out of the audit record
/// when absent.
///
/// A member that must not be recorded says `#[serde(skip_serializing)]`; its type has no `Serialize`, so
/// forgetting it doesn't compile.
#[macro_export]
macro_rules! input {
    (
        $(#[$outer:meta])*
        pub struct $name:ident { $( $(#[$inner:meta])* $member:ident: $type:ty, )* }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Default, ::serde::Deserialize, ::serde::Serialize)]
        #[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
        pub struct $name {
            $(
                $(#[$inner])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $member: Option<$type>,
            )*
        }
    };
}

/// The same for services whose members are written in camelCase on the wire, as those that speak REST-JSON.
#[macro_export]
macro_rules! rest_input {
    (
        $(#[$outer:meta])*
        pub struct $name:ident { $( $(#[$inner:meta])* $member:ident: $type:ty, )* }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Default, ::serde::Deserialize, ::serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $(
                $(#[$inner])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $member: Option<$type>,
            )*
        }
    };
}
