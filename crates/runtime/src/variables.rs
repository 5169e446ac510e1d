//! The environment of a function.
//!
//! Source: AWS Lambda Developer Guide, "Defined runtime environment variables".

use crate::layout::Layout;
use crate::program::{Credentials, Program, Runtime};
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a process of `program` finds in its environment, and nothing else.
pub(crate) fn of(
    program: &Program,
    settings: &Settings,
    credentials: &Credentials,
    layout: &Layout,
    (api, stream): (SocketAddr, &str),
) -> BTreeMap<String, String> {
    let mut variables = usual(layout);
    variables.extend(program.environment.clone());
    let own = variables.remove("PYTHONPATH").filter(|it| !it.is_empty());
    for name in UNSET {
        variables.remove(*name);
    }
    if let Runtime::Python(_) = program.runtime {
        let shown = |it: &PathBuf| it.display().to_string();
        let modules =
            own.into_iter().chain([shown(&layout.task)]).chain(layout.modules.iter().map(shown));
        variables.insert("PYTHONPATH".into(), modules.collect::<Vec<_>>().join(":"));
        variables.insert("PYTHONDONTWRITEBYTECODE".into(), "1".into());
        variables.insert("PYTHONNOUSERSITE".into(), "1".into());
    } else if let Some(own) = own {
        variables.insert("PYTHONPATH".into(), own);
    }
    variables.extend(reserved(program, settings, layout, (api, stream)));
    if let Some(bundle) = &layout.ca_bundle {
        let bundle = bundle.display().to_string();
        variables.entry("NODE_EXTRA_CA_CERTS".into()).or_insert_with(|| bundle.clone());
        variables.insert("AWS_CA_BUNDLE".into(), bundle);
    }
    let text = |secret: &base::Sensitive| String::from_utf8_lossy(secret.expose()).into_owned();
    variables.insert("AWS_ACCESS_KEY_ID".into(), credentials.access_key_id.clone());
    variables.insert("AWS_SECRET_ACCESS_KEY".into(), text(&credentials.secret_access_key));
    variables.insert("AWS_SESSION_TOKEN".into(), text(&credentials.session_token));
    variables
}

/// What a function may set otherwise.
fn usual(layout: &Layout) -> BTreeMap<String, String> {
    let temporary = layout.temporary.display().to_string();
    let task = layout.task.display();
    let pairs = [
        ("HOME", temporary.clone()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("LD_LIBRARY_PATH", format!("{task}:{task}/lib:/opt/lib")),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
        ("TMPDIR", temporary),
        ("TZ", ":UTC".to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

fn reserved(
    program: &Program,
    settings: &Settings,
    layout: &Layout,
    (api, stream): (SocketAddr, &str),
) -> BTreeMap<String, String> {
    // A function is at home in its own Region, wherever the server is.
    let own = base::Arn::parse(&program.arn).ok().map(|it| it.region).filter(|it| !it.is_empty());
    let region = own.unwrap_or(&settings.region).to_owned();
    let pairs = [
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_ENDPOINT_URL", settings.endpoint.clone()),
        ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", program.runtime)),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", program.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", program.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", program.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", api.to_string()),
        ("AWS_REGION", region),
        ("LAMBDA_RUNTIME_DIR", layout.clients.display().to_string()),
        ("LAMBDA_TASK_ROOT", layout.task.display().to_string()),
        ("SECRETS_MANAGER_ENDPOINT", settings.endpoint.clone()),
        ("_HANDLER", program.handler.clone()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Names that a function can't set, and that aren't set here either. The first would turn Python's
/// official client into several processes, the endpoints would lead elsewhere.
const UNSET: &[&str] = &[
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_ACCESS_KEY",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_STS",
    "_X_AMZN_TRACE_ID",
];
