//! How input structs are declared.

/// Declares an operation's input: each member may be absent on the wire, and is then absent from the
/// audit record, too.
///
/// What must not be recorded says `#[serde(skip_serializing)]`; such types have no `Serialize`, so it
/// can't be forgotten.
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

pub(crate) use input;
