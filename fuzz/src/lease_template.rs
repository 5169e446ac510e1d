//! Whatever stands in a dynamic secret: no panic, and users' names that need no quoting.

use base::{Sensitive, SystemEntropy};
use secrets::lease::Template;

/// A template that is taken makes names that fit, for whomever.
pub fn lease_template(input: &[u8]) {
    let Ok(template) = Template::parse(&Sensitive::new(input.to_vec())) else { return };
    assert!(template.ttl <= template.most && (1..=1000).contains(&template.leases));
    assert!(template.roles.is_empty() != template.creation.is_empty());
    let principal = String::from_utf8_lossy(input);
    for longest in [12, 32, 63, 80] {
        let Ok(name) = template.user((&principal, &principal), longest, &SystemEntropy) else { continue };
        let harmless = |it: u8| it.is_ascii_alphanumeric() || it == b'_' || it == b'-';
        assert!(name.len() <= longest && name.bytes().all(harmless), "{name}");
    }
}
