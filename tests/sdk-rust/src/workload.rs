//! A workload: reads the secret that its argument names, with whatever credentials its surroundings offer.
//!
//! Nothing here says where the server or a credential is. The SDK finds both by its own variables.

use aws_config::BehaviorVersion;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let name = std::env::args().nth(1).expect("a secret's name");
    // The SDK's one part that must be named when its default features are off.
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let client = aws_sdk_secretsmanager::Client::new(&config);
    let read = client.get_secret_value().secret_id(name).send().await.expect("it is ours to read");
    let caller = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
    let caller = caller.expect("everybody may ask");
    print!("{} {}", read.secret_string().unwrap_or_default(), caller.arn().unwrap_or_default());
}
