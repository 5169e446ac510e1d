//! From a case on which the two differ to a small one on which they differ in the same way.

use super::Judges;
use anyhow::Result;
use serde_json::Value;

/// Members that make a case what it is.
const KEPT: &[&str] = &["caller", "action", "resource", "resource_account", "Version", "Effect"];

/// Leaves away what can be left away while both verdicts stay as they are.
pub(super) fn shrink(case: &Value, judges: &mut Judges) -> Result<Value> {
    let verdicts = judges.ask_one(case)?;
    let mut small = case.clone();
    loop {
        let mut at = 0;
        let mut shorter = false;
        while let Some(path) = places(&small).get(at) {
            let next = without(&small, path);
            if let Some(next) = next.filter(|it| *it != small)
                && judges.ask_one(&next)? == verdicts
            {
                small = next;
                shorter = true;
            } else {
                at += 1;
            }
        }
        if !shorter {
            return Ok(small);
        }
    }
}

/// JSON pointers to everything that may be left away, whole before part.
fn places(case: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(case, "", &mut found);
    // There is no role without a trust policy.
    let is_role = case["resource"].as_str().is_some_and(|it| it.contains(":role/"));
    found.retain(|it| !(is_role && it == "/resource_policy"));
    found
}

fn collect(value: &Value, above: &str, found: &mut Vec<String>) {
    let mut visit = |name: &str, child: &Value| {
        let path = format!("{above}/{}", name.replace('~', "~0").replace('/', "~1"));
        if name == "Resource" {
            // Without it a statement of a key policy would say nothing; fewer entries are fine.
            collect(child, &path, found);
        } else if !KEPT.contains(&name) {
            found.push(path.clone());
            collect(child, &path, found);
        }
    };
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, it)| visit(&index.to_string(), it));
        }
        Value::Object(members) => members.iter().for_each(|(name, it)| visit(name, it)),
        _ => {}
    }
}

fn without(case: &Value, path: &str) -> Option<Value> {
    let (above, name) = path.rsplit_once('/')?;
    let mut case = case.clone();
    match case.pointer_mut(above)? {
        Value::Array(items) => {
            let index = name.parse().ok().filter(|it| *it < items.len())?;
            items.remove(index);
        }
        Value::Object(members) => {
            members.remove(&name.replace("~1", "/").replace("~0", "~"))?;
        }
        _ => return None,
    }
    Some(case)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn leaves_away_one_place() {
        let case =
            json!({"action": "a", "context": {"aws:PrincipalTag/x": "1"}, "identity": [[1, 2]]});
        let paths = places(&case);
        let expected = ["/context", "/context/aws:PrincipalTag~1x", "/identity", "/identity/0"];
        assert_eq!(paths.get(..4).unwrap_or_default(), expected);
        let fewer = without(&case, "/context/aws:PrincipalTag~1x").expect("is there");
        assert_eq!(fewer["context"], json!({}));
        let fewer = without(&case, "/identity/0/1").expect("is there");
        assert_eq!(fewer["identity"], json!([[1]]));
        assert_eq!(without(&case, "/identity/7"), None);
    }
}
