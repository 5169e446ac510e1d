//! The Regions of replicas, as requests name them. Nothing is replicated yet.

use crate::limits::{KMS_KEY_ID, REGION};
use serde::{Deserialize, Serialize};
use wire::Violations;
use wire::members::{List, Structure, Text};

/// A Region in a request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub(crate) struct ReplicaGiven {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<Text>,
}

/// Regions in a request.
pub(crate) type ReplicasGiven = List<Structure<ReplicaGiven>>;

/// The model's constraints on a list of Regions and on each of them.
pub(crate) fn constraints(found: &mut Violations, replicas: Option<&ReplicasGiven>) {
    found.count("addReplicaRegions", replicas, 1..=usize::MAX, |_| "ReplicaRegionType".to_owned());
    let replicas = replicas.map_or(&[][..], List::as_slice);
    for (index, Structure(replica)) in replicas.iter().enumerate() {
        let path = format!("addReplicaRegions.{}.member", index + 1);
        let region = format!("{path}.region");
        found.length(&region, replica.region.as_ref(), REGION);
        found.pattern(&region, replica.region.as_ref(), r"^([a-z]+-)+\d+$", is_region);
        found.length(&format!("{path}.kmsKeyId"), replica.kms_key_id.as_ref(), KMS_KEY_ID);
    }
}

/// Words in lower case, each with a hyphen behind it, and a number.
fn is_region(text: &str) -> bool {
    let filled = |it: &str, of: fn(&u8) -> bool| !it.is_empty() && it.bytes().all(|it| of(&it));
    text.rsplit_once('-').is_some_and(|(words, number)| {
        filled(number, u8::is_ascii_digit)
            && words.split('-').all(|word| filled(word, u8::is_ascii_lowercase))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_the_models() {
        #[rustfmt::skip]
        let cases = [
            // given                                        broken constraints
            (r#"[{"Region":"us-east-2"}]"#,                 0),
            (r#"[{"Region":"us-gov-west-1","KmsKeyId":""}]"#, 0),
            (r"[{}]",                                       0),
            (r"[]",                                         1),
            (r#"[{"Region":"us-east-2"},{"Region":""}]"#,   2),
            (r#"[{"Region":"us-east"}]"#,                   1),
            (r#"[{"Region":"2"}]"#,                         1),
            (r#"[{"Region":"us--2"}]"#,                     1),
            (r#"[{"Region":"-2"}]"#,                        1),
            (r#"[{"Region":"US-EAST-2"}]"#,                 1),
            (r#"[{"Region":"us-east-2 "}]"#,                1),
        ];
        for (json, broken) in cases {
            let given: ReplicasGiven = serde_json::from_str(json).expect("Regions");
            let mut found = Violations::default();
            constraints(&mut found, Some(&given));
            let told = found.message().unwrap_or_default();
            assert_eq!(told.matches("failed to satisfy").count(), broken, "{json}: {told}");
        }
    }
}
