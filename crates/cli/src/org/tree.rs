//! The organization as a drawing.

use super::{list, text};
use crate::output;
use serde_json::Value;

/// The lines of the drawing of `organization`, as the admin API shows it.
pub(super) fn drawn(organization: &Value) -> Vec<String> {
    let (id, management) = (text(organization, "Id"), text(organization, "ManagementAccountId"));
    let by = match text(organization, "Owner") {
        "Configuration" => ", by the configuration",
        _ => "",
    };
    let mut lines = vec![format!("{id}, managed by {management}{by}")];
    if let Some(root) = organization.get("Root") {
        lines.push(line(root, management));
        below(root, ("", management), &mut lines);
    }
    lines
}

/// What is in `place`, behind `indent`: accounts first, then units.
fn below(place: &Value, (indent, management): (&str, &str), lines: &mut Vec<String>) {
    let all = list(place, "Accounts").iter().chain(list(place, "Units"));
    let count = all.clone().count();
    for (index, it) in all.enumerate() {
        let (branch, further) =
            if index + 1 == count { ("└── ", "    ") } else { ("├── ", "│   ") };
        lines.push(format!("{indent}{branch}{}", line(it, management)));
        below(it, (&format!("{indent}{further}"), management), lines);
    }
}

/// A root, unit or account with its policies. What allows everything goes without saying while it is alone.
fn line(it: &Value, management: &str) -> String {
    let mut parts = match text(it, "AccountId") {
        "" => vec![text(it, "Name").to_owned(), text(it, "Id").to_owned()],
        account if account == management => vec![account.to_owned(), "(management)".to_owned()],
        account => vec![account.to_owned()],
    };
    for (kind, name, usual) in [
        ("scp", "ServiceControlPolicies", "FullAWSAccess"),
        ("rcp", "ResourceControlPolicies", "RCPFullAWSAccess"),
    ] {
        let names: Vec<_> = list(it, name).iter().map(output::plain).collect();
        if names != [usual] {
            parts.push(format!("{kind}: {}", names.join(", ")));
        }
    }
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_tree_is_drawn() {
        let full = json!(["FullAWSAccess"]);
        let resources = json!(["RCPFullAWSAccess"]);
        let account = |id: &str, policies: &Value| {
            json!({
                "AccountId": id, "ServiceControlPolicies": policies,
                "ResourceControlPolicies": resources,
            })
        };
        let unit = |name: &str, units: Value, accounts: Value| {
            json!({
                "Name": name, "Id": format!("ou-ab12-{name}"), "Units": units, "Accounts": accounts,
                "ServiceControlPolicies": full, "ResourceControlPolicies": resources,
            })
        };
        let eu = unit("eu", json!([]), json!([account("444455556666", &json!(["guard"]))]));
        let prod = unit("prod", json!([eu]), json!([]));
        let root = json!({
            "Name": "root", "Id": "r-ab12", "Units": [prod, unit("test", json!([]), json!([]))],
            "Accounts": [account("111122223333", &full)],
            "ServiceControlPolicies": ["FullAWSAccess", "deny"],
            "ResourceControlPolicies": ["RCPFullAWSAccess", "inside"],
        });
        let shown = json!({
            "Id": "o-a1b2c3d4e5", "ManagementAccountId": "111122223333",
            "Owner": "Configuration", "Root": root,
        });
        let expected = [
            "o-a1b2c3d4e5, managed by 111122223333, by the configuration",
            "root  r-ab12  scp: FullAWSAccess, deny  rcp: RCPFullAWSAccess, inside",
            "├── 111122223333  (management)",
            "├── prod  ou-ab12-prod",
            "│   └── eu  ou-ab12-eu",
            "│       └── 444455556666  scp: guard",
            "└── test  ou-ab12-test",
        ];
        assert_eq!(drawn(&shown), expected);
    }
}
