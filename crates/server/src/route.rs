//! From a request's head to a row of an operation table.

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, Method};
use identity::sts;
use service::Row;
use wire::query::Parameters;

/// Which of the two protocols a request speaks: decides how even its first error looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// awsJson 1.1, by the header `X-Amz-Target`.
    Json,
    /// Query, by the parameter `Action`.
    Query,
}

/// An operation, and its place among all for the counters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) row: Row,
    pub(crate) place: usize,
}

/// All operations of all services.
pub(crate) struct Routes {
    /// Sorted by name.
    secrets: Vec<Route>,
    caller_identity: Route,
}

/// What a request asks for, as far as its head tells.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Head {
    /// This operation.
    Json(Route),
    /// Its parameters will tell.
    Query,
    /// No such operation.
    Unknown,
    /// Asked with a method that nothing is asked with.
    WrongMethod,
}

static TARGET: HeaderName = HeaderName::from_static("x-amz-target");

impl Routes {
    /// The routes to `secrets`, and to the operations of STS.
    pub(crate) fn new(secrets: &[Row]) -> Self {
        let mut rows = secrets.to_vec();
        rows.sort_by_key(|it| it.name);
        let secrets: Vec<_> =
            rows.into_iter().enumerate().map(|(place, row)| Route { row, place }).collect();
        let row = Row::of::<sts::GetCallerIdentity>();
        Self { caller_identity: Route { row, place: secrets.len() }, secrets }
    }

    /// The operations' names, by place.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let all = self.secrets.iter().chain([&self.caller_identity]);
        all.map(|it| it.row.name)
    }

    /// Looks at the head alone.
    pub(crate) fn find(&self, parts: &Parts) -> Head {
        let mut targets = parts.headers.get_all(&TARGET).iter();
        if let Some(target) = targets.next() {
            if targets.next().is_some() {
                // A header that comes twice is one with a comma, and no operation's name has any.
                return Head::Unknown;
            }
            return match target.to_str().ok().and_then(|it| it.strip_prefix("secretsmanager.")) {
                _ if parts.method != Method::POST => Head::WrongMethod,
                Some(name) if is_root(parts) => {
                    let found = self.secrets.binary_search_by_key(&name, |it| it.row.name);
                    let route = found.ok().and_then(|it| self.secrets.get(it));
                    route.map_or(Head::Unknown, |it| Head::Json(*it))
                }
                _ => Head::Unknown,
            };
        }
        match parts.method {
            Method::GET if parts.uri.query().is_some() => Head::Query,
            Method::POST if is_form(parts) => Head::Query,
            Method::POST => Head::Unknown,
            _ => Head::WrongMethod,
        }
    }

    /// The operation that `parameters` ask for; the message to answer if there is none.
    pub(crate) fn find_action(&self, parameters: &[Parameters<'_>]) -> Result<Route, String> {
        let get = |name| parameters.iter().find_map(|it| it.get(name));
        let (action, version) = (get("Action"), get("Version"));
        match (action, version) {
            (Some(name), Some(sts::VERSION)) if name == self.caller_identity.row.name => {
                Ok(self.caller_identity)
            }
            _ => {
                let cut = |it: &str| it.chars().take(128).collect::<String>();
                let (action, version) =
                    (action.unwrap_or_default(), version.unwrap_or("NO_VERSION_SPECIFIED"));
                Err(format!(
                    "Could not find operation {} for version {}",
                    cut(action),
                    cut(version)
                ))
            }
        }
    }
}

impl Head {
    /// The protocol to answer in.
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Json(_) | Self::Unknown | Self::WrongMethod => Protocol::Json,
            Self::Query => Protocol::Query,
        }
    }
}

fn is_root(parts: &Parts) -> bool {
    matches!(parts.uri.path(), "" | "/")
}

fn is_form(parts: &Parts) -> bool {
    let kind = parts.headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let kind = kind.split(|it| *it == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn found(method: &str, uri: &str, headers: &[(&str, &str)]) -> String {
        let routes = Routes::new(secrets::OPERATIONS);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        match routes.find(&parts) {
            Head::Json(route) => route.row.name.to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn heads_lead_to_rows() {
        let target = |it| ("X-Amz-Target", it);
        let form = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
        #[rustfmt::skip]
        let cases = [
            ("POST", "/",          vec![target("secretsmanager.GetSecretValue")],      "GetSecretValue"),
            ("POST", "/",          vec![target("secretsmanager.DescribeSecret"), form], "DescribeSecret"),
            ("POST", "/",          vec![target("secretsmanager.RotateSecret")],        "Unknown"), // not built
            ("POST", "/",          vec![target("secretsmanager.getSecretValue")],      "Unknown"),
            ("POST", "/",          vec![target("secretsmanager.")],                    "Unknown"),
            ("POST", "/",          vec![target("TrentService.Decrypt")],               "Unknown"),
            ("POST", "/else",      vec![target("secretsmanager.GetSecretValue")],      "Unknown"),
            ("GET",  "/",          vec![target("secretsmanager.GetSecretValue")],      "WrongMethod"),
            ("POST", "/",          vec![target("secretsmanager.GetSecretValue"), target("secretsmanager.GetSecretValue")], "Unknown"),
            ("POST", "/",          vec![target("secretsmanager.DescribeSecret"), target("secretsmanager.DeleteSecret")],   "Unknown"),
            ("POST", "/",          vec![],                                             "Unknown"),
            ("POST", "/",          vec![form],                                         "Query"),
            ("GET",  "/?Action=x", vec![],                                             "Query"),
            ("GET",  "/",          vec![],                                             "WrongMethod"),
            ("PUT",  "/?Action=x", vec![form],                                         "WrongMethod"),
        ];
        for (method, uri, headers, expected) in cases {
            assert_eq!(found(method, uri, &headers), expected, "{method} {uri} {headers:?}");
        }
    }

    #[test]
    fn actions_need_their_version() {
        let routes = Routes::new(&[]);
        for (form, expected) in [
            ("Action=GetCallerIdentity&Version=2011-06-15", Ok("GetCallerIdentity")),
            (
                "Action=GetCallerIdentity&Version=2010-05-08",
                Err("Could not find operation GetCallerIdentity for version 2010-05-08"),
            ),
            ("Action=X", Err("Could not find operation X for version NO_VERSION_SPECIFIED")),
            ("", Err("Could not find operation  for version NO_VERSION_SPECIFIED")),
        ] {
            let found = routes.find_action(&[Parameters::parse(form.as_bytes())]);
            let found = found.as_ref().map(|it| it.row.name).map_err(String::as_str);
            assert_eq!(found, expected, "{form}");
        }
    }

    #[test]
    fn every_operation_has_a_place() {
        let routes = Routes::new(secrets::OPERATIONS);
        let names: Vec<_> = routes.names().collect();
        assert_eq!(names.len(), secrets::OPERATIONS.len() + 1);
        for route in routes.secrets.iter().chain([&routes.caller_identity]) {
            assert_eq!(names[route.place], route.row.name);
        }
    }
}
