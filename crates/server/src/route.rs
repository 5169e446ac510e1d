//! From a request's head to a row of an operation table.

use base::Uuid;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, Method};
use identity::{iam, sts};
use service::{Reply, Row};
use std::time::Duration;
use wire::query::{self, Parameters};
use wire::{Body, Code, rest};

/// Which of the three protocols a request speaks: decides how even its first error looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// awsJson 1.1, by the header `X-Amz-Target`.
    Json,
    /// Query, by the parameter `Action`.
    Query,
    /// REST-JSON, by method and path.
    Rest,
}

/// An API that is served: how it is asked for, and how requests for it are signed.
#[derive(Debug)]
pub(crate) struct Api {
    /// The service's name in a credential scope.
    pub(crate) signing_name: &'static str,
    /// How far the two clocks may differ, in minutes.
    pub(crate) window_minutes: u32,
    form: Form,
    rows: &'static [Row],
}

impl Api {
    /// Whether it is IAM.
    pub(crate) fn is_iam(&self) -> bool {
        self.signing_name == "iam"
    }

    /// Whether a presigned URL ends when it says. STS takes one for as long as its window is, whatever
    /// lifetime it says.
    pub(crate) fn keeps_lifetimes(&self) -> bool {
        !matches!(self.form, Form::Query(_))
    }
}

/// How an API is asked for.
#[derive(Debug)]
enum Form {
    /// By what stands before the operation's name in `X-Amz-Target`, in one spelling or several.
    Target(&'static [&'static str]),
    /// By the parameter `Version`.
    Query(&'static query::Service),
    /// By method and path, which the rows say.
    Paths,
}

/// All APIs.
static APIS: [Api; 7] = [
    Api {
        signing_name: "secretsmanager",
        window_minutes: 5,
        form: Form::Target(&["secretsmanager."]),
        rows: secrets::OPERATIONS,
    },
    Api {
        signing_name: "kms",
        window_minutes: 5,
        form: Form::Target(&["TrentService."]),
        rows: kms::OPERATIONS,
    },
    Api {
        signing_name: "iam",
        window_minutes: 15,
        form: Form::Query(&iam::SERVICE),
        rows: iam::OPERATIONS,
    },
    Api {
        signing_name: "sts",
        window_minutes: 15,
        form: Form::Query(&sts::SERVICE),
        rows: sts::OPERATIONS,
    },
    Api {
        signing_name: "rolesanywhere",
        window_minutes: 5,
        form: Form::Paths,
        rows: anywhere::OPERATIONS,
    },
    Api {
        signing_name: "lambda",
        window_minutes: 5,
        form: Form::Paths,
        rows: functions::OPERATIONS,
    },
    Api {
        signing_name: "cloudtrail",
        window_minutes: 5,
        // Botocore's kin write the first, those made of Smithy's models the second.
        form: Form::Target(&[
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.",
            "CloudTrail_20131101.",
        ]),
        rows: cloudtrail::OPERATIONS,
    },
];

/// An operation, its API, and its place among all for the counters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) row: Row,
    pub(crate) api: &'static Api,
    pub(crate) place: usize,
}

/// All operations of all services: those of each API together, sorted by name.
pub(crate) struct Routes(Vec<Vec<Route>>);

/// What a request asks for, as far as its head tells.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Head {
    /// This operation.
    Json(Route),
    /// Its parameters will tell.
    Query,
    /// This operation, whose members stand in the path and the query, too.
    Rest(Route),
    /// No such operation.
    Unknown,
    /// Asked with a method that nothing is asked with.
    WrongMethod,
}

static TARGET: HeaderName = HeaderName::from_static("x-amz-target");

impl Routes {
    /// The routes to all that is built.
    pub(crate) fn new() -> Self {
        let mut places = 0..;
        let routes = |api: &'static Api| {
            let mut rows = api.rows.to_vec();
            rows.sort_by_key(|it| it.name);
            rows.into_iter()
                .zip(&mut places)
                .map(|(row, place)| Route { row, api, place })
                .collect()
        };
        Self(APIS.iter().map(routes).collect())
    }

    /// The operations' services and names, by place.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.iter().flatten().map(|it| (it.api.signing_name, it.row.name))
    }

    /// The operation that audit records call `name` of `source`.
    pub(crate) fn find_recorded(&self, source: &str, name: &str) -> Option<Row> {
        let routes =
            self.0.iter().find(|it| it.first().is_some_and(|it| it.row.source == source))?;
        routes.iter().map(|it| it.row).find(|it| it.recorded == name)
    }

    /// Looks at the head alone.
    pub(crate) fn find(&self, parts: &Parts) -> Head {
        let mut targets = parts.headers.get_all(&TARGET).iter();
        if let Some(target) = targets.next() {
            return match target.to_str() {
                _ if parts.method != Method::POST => Head::WrongMethod,
                // Two name no operation, as a joined header would.
                Ok(target) if is_root(parts) && targets.next().is_none() => {
                    self.find_target(target).map_or(Head::Unknown, Head::Json)
                }
                _ => Head::Unknown,
            };
        }
        if let Some(head) = self.find_path(parts) {
            return head;
        }
        match parts.method {
            Method::GET if parts.uri.query().is_some() => Head::Query,
            Method::POST if is_form(parts) => Head::Query,
            Method::POST => Head::Unknown,
            // Only operations are asked for like this, and none has the path.
            Method::DELETE | Method::PATCH | Method::PUT if !is_root(parts) => Head::Unknown,
            _ => Head::WrongMethod,
        }
    }

    fn find_target(&self, target: &str) -> Option<Route> {
        self.0.iter().find_map(|routes| match routes.first()?.api.form {
            Form::Target(prefixes) => {
                named(routes, prefixes.iter().find_map(|it| target.strip_prefix(it))?)
            }
            Form::Paths | Form::Query(_) => None,
        })
    }

    /// The operation that is asked for by method and path; `None` if no operation has the path.
    fn find_path(&self, parts: &Parts) -> Option<Head> {
        let path = parts.uri.path();
        if is_root(parts) {
            return None;
        }
        let has_path = |it: &&Route| it.row.binding().is_some_and(|it| it.matches(path));
        let mut found = self.0.iter().flatten().filter(has_path).peekable();
        found.peek()?;
        let has_method =
            |it: &&Route| it.row.binding().is_some_and(|it| it.method == parts.method.as_str());
        Some(found.find(has_method).map_or(Head::WrongMethod, |it| Head::Rest(*it)))
    }

    /// The operation that `parameters` ask for; the message to answer if there is none.
    pub(crate) fn find_action(&self, parameters: &Parameters<'_>) -> Result<Route, String> {
        let (action, version) = (parameters.get("Action"), parameters.get("Version"));
        let found = self.0.iter().find_map(|routes| match routes.first()?.api.form {
            Form::Query(service) if version == Some(service.version) => named(routes, action?),
            _ => None,
        });
        found.ok_or_else(|| {
            let cut = |it: &str| it.chars().take(128).collect::<String>();
            let (action, version) =
                (action.unwrap_or_default(), version.unwrap_or("NO_VERSION_SPECIFIED"));
            format!("Could not find operation {} for version {}", cut(action), cut(version))
        })
    }
}

fn named(routes: &[Route], name: &str) -> Option<Route> {
    let found = routes.binary_search_by_key(&name, |it| it.row.name).ok()?;
    routes.get(found).copied()
}

impl Route {
    /// Whether requests are authenticated by a token that they hold, and not by a signature.
    pub(crate) fn is_by_token(&self) -> bool {
        self.api.signing_name == "sts" && self.row.name == "AssumeRoleWithWebIdentity"
    }

    /// The error `code` as the route's API tells it.
    pub(crate) fn fault(&self, code: Code, message: &str, request_id: Uuid) -> Reply {
        self.row.fault(code, message, request_id)
    }

    /// Whether the key of a certificate signs it, and no access key.
    pub(crate) fn is_signed_by_certificate(&self) -> bool {
        self.row.source == anywhere::HOST
            && self.row.name == anywhere::operations::SIGNED_BY_CERTIFICATE
    }

    /// The request's members as one JSON object, of an operation that is asked for by its path.
    pub(crate) fn gather(&self, parts: &Parts, body: &[u8]) -> Result<Body, rest::Malformed> {
        let header = |name: &str| parts.headers.get(name).map(http::HeaderValue::as_bytes);
        let query = parts.uri.query().unwrap_or_default();
        let head = rest::Head { path: parts.uri.path(), query, header: &header };
        self.row.binding().map_or_else(|| Ok(Body::default()), |it| it.gather(head, body))
    }
}

impl Head {
    /// Bytes that the body may have, and how much longer than others the answer may take, where that is said.
    pub(crate) fn room(&self) -> (usize, Duration) {
        match self {
            Self::Rest(route) => {
                route.row.binding().map_or((0, Duration::ZERO), |it| (it.body_bytes, it.patience))
            }
            _ => (0, Duration::ZERO),
        }
    }

    /// The protocol to answer in.
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Json(_) | Self::Unknown | Self::WrongMethod => Protocol::Json,
            Self::Query => Protocol::Query,
            Self::Rest(_) => Protocol::Rest,
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
        let routes = Routes::new();
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        match routes.find(&parts) {
            Head::Json(route) | Head::Rest(route) => route.row.name.to_owned(),
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
            ("POST", "/",          vec![target("secretsmanager.ReplicateSecretToRegions")], "Unknown"), // not built
            ("POST", "/",          vec![target("secretsmanager.getSecretValue")],      "Unknown"),
            ("POST", "/",          vec![target("secretsmanager.")],                    "Unknown"),
            ("POST", "/",          vec![target("TrentService.Decrypt")],               "Decrypt"),
            ("POST", "/",          vec![target("TrentService.GetSecretValue")],        "Unknown"),
            ("POST", "/",          vec![target("CloudTrail_20131101.LookupEvents")],   "LookupEvents"),
            ("POST", "/",          vec![target("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents")], "LookupEvents"),
            ("POST", "/",          vec![target("cloudtrail.LookupEvents")],            "Unknown"),
            ("POST", "/else",      vec![target("secretsmanager.GetSecretValue")],      "Unknown"),
            ("GET",  "/",          vec![target("secretsmanager.GetSecretValue")],      "WrongMethod"),
            ("POST", "/",          vec![target("secretsmanager.GetSecretValue"), target("secretsmanager.GetSecretValue")], "Unknown"),
            ("POST", "/",          vec![target("secretsmanager.DescribeSecret"), target("secretsmanager.DeleteSecret")],   "Unknown"),
            ("POST", "/",          vec![],                                             "Unknown"),
            ("POST", "/",          vec![form],                                         "Query"),
            ("GET",  "/?Action=x", vec![],                                             "Query"),
            ("GET",  "/",          vec![],                                             "WrongMethod"),
            ("PUT",  "/?Action=x", vec![form],                                         "WrongMethod"),
            ("POST", "/sessions",  vec![],                                             "CreateSession"),
            ("POST", "/sessions",  vec![form],                                         "CreateSession"),
            ("POST", "/sessions?Action=x", vec![],                                     "CreateSession"),
            ("GET",  "/sessions",  vec![],                                             "WrongMethod"),
            ("GET",  "/crl/a",     vec![],                                             "GetCrl"),
            ("PATCH", "/crl/a",    vec![],                                             "UpdateCrl"),
            ("DELETE", "/crl/a%2Fb", vec![],                                           "DeleteCrl"),
            ("GET",  "/crl/a/b",   vec![],                                             "WrongMethod"), // nobody's path
            ("PUT",  "/profiles/a/mappings", vec![],                                   "Unknown"), // not built
            ("PUT",  "/crl/a",     vec![],                                             "WrongMethod"),
            ("GET",  "/crl/",      vec![],                                             "WrongMethod"),
            ("POST", "/sessions",  vec![target("secretsmanager.GetSecretValue")],      "Unknown"),
        ];
        for (method, uri, headers, expected) in cases {
            assert_eq!(found(method, uri, &headers), expected, "{method} {uri} {headers:?}");
        }
    }

    #[test]
    fn actions_need_their_version() {
        let routes = Routes::new();
        for (form, expected) in [
            ("Action=GetCallerIdentity&Version=2011-06-15", Ok("GetCallerIdentity")),
            (
                "Action=GetCallerIdentity&Version=2010-05-08",
                Err("Could not find operation GetCallerIdentity for version 2010-05-08"),
            ),
            ("Action=X", Err("Could not find operation X for version NO_VERSION_SPECIFIED")),
            ("", Err("Could not find operation  for version NO_VERSION_SPECIFIED")),
        ] {
            let found = routes.find_action(&Parameters::parse(form.as_bytes()));
            let found = found.as_ref().map(|it| it.row.name).map_err(String::as_str);
            assert_eq!(found, expected, "{form}");
        }
    }

    #[test]
    fn every_operation_has_a_place() {
        let routes = Routes::new();
        let names: Vec<_> = routes.names().collect();
        assert!(names.len() > secrets::OPERATIONS.len());
        for route in routes.0.iter().flatten() {
            assert_eq!(names[route.place], (route.api.signing_name, route.row.name));
        }
    }
}
