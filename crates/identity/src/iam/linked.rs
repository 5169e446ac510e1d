//! Service-linked roles: which services have them, what they are called, and how they end.
//!
//! None of these services runs here but those that this server is. So such a role has no policies, nobody but its
//! service can assume it, nothing is ever in its way when it is deleted, and what AWS protects is protected.
//!
//! Source: the services' own guides, "Using service-linked roles"; IAM API Reference, "CreateServiceLinkedRole".

use crate::entities::Role;
use crate::iam::Error;
use crate::iam::holder::Found;
use base::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// Roles below it are service-linked, and no others can be.
pub(crate) const PATH: &str = "/aws-service-role/";

/// The service-linked role of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Linked {
    /// The service, `ecs.amazonaws.com`.
    pub(crate) service: &'static str,
    /// What the role is called.
    pub(crate) name: &'static str,
    /// Whether there can be several, told apart by a suffix.
    pub(crate) suffix: bool,
}

/// The role of the service `name`, if it is known to have one.
pub(crate) fn of_service(name: &str) -> Option<Linked> {
    let index = SERVICES.binary_search_by_key(&name, |it| it.0).ok()?;
    let (service, name, suffix) = *SERVICES.get(index)?;
    Some(Linked { service, name, suffix })
}

/// A role that was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deletion {
    /// `task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/` and a UUID.
    pub(crate) task: String,
    ended: Timestamp,
}

store::json_record!(Deletion, 1);

/// By account and task.
const fn deletions<'a>() -> Table<(&'a AccountId, &'a str), Deletion> {
    Table::new(|(account, task)| place(account).with(task).key())
}

fn place(account: &AccountId) -> Path {
    Path::new("a").with(account).with("role-deletion")
}

/// Notes that `task` is done, and forgets those that were done long ago.
pub(crate) async fn note(
    txn: &mut Txn<'_>,
    account: &AccountId,
    (task, now): (String, Timestamp),
) -> Result<(), store::Error> {
    let prefix = place(account).below();
    let page = txn.page::<Deletion>(KeyRange::prefix(&prefix), AT_ONCE, false).await?;
    for (_, old) in page.rows.iter().filter(|(_, it)| KEPT < now.since(it.ended)) {
        txn.remove(&deletions(), &(account, &old.task));
    }
    let deletion = Deletion { task, ended: now };
    txn.save(&deletions(), &(account, &deletion.task), &deletion)
}

const AT_ONCE: usize = 1000;
const KEPT: Duration = Duration::from_hours(30 * 24);

/// Whether `task` is done.
pub(crate) async fn is_done(
    txn: &mut Txn<'_>,
    account: &AccountId,
    task: &str,
) -> Result<bool, store::Error> {
    txn.exists(&place(account).with(task).key()).await
}

impl Found<Role> {
    /// It, if it is there and no service's.
    pub(crate) fn own(self) -> Result<Arc<Role>, Error> {
        let role = self.existing()?;
        unprotected(&role)?;
        Ok(role)
    }
}

/// That `role` is no service's.
pub(crate) fn unprotected(role: &Role) -> Result<(), Error> {
    match &role.linked {
        Some(_) => Err(Error::Protected(role.name.clone())),
        None => Ok(()),
    }
}

/// Services, what their roles are called, and whether these can have a suffix. Sorted, so that they can be searched.
#[rustfmt::skip]
const SERVICES: &[(&str, &str, bool)] = &[
    ("access-analyzer.amazonaws.com", "AWSServiceRoleForAccessAnalyzer", false),
    ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling", true),
    ("backup.amazonaws.com", "AWSServiceRoleForBackup", false),
    ("batch.amazonaws.com", "AWSServiceRoleForBatch", false),
    ("cks.kms.amazonaws.com", "AWSServiceRoleForKeyManagementServiceCustomKeyStores", false),
    ("cloudtrail.amazonaws.com", "AWSServiceRoleForCloudTrail", false),
    ("config.amazonaws.com", "AWSServiceRoleForConfig", false),
    ("connect.amazonaws.com", "AWSServiceRoleForAmazonConnect", true),
    ("custom-resource.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_CustomResource", false),
    ("dax.amazonaws.com", "AWSServiceRoleForDAX", false),
    ("dynamodb.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable", false),
    ("ec2.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_EC2SpotFleetRequest", false),
    ("ecs.amazonaws.com", "AWSServiceRoleForECS", false),
    ("ecs.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_ECSService", false),
    ("eks-fargate.amazonaws.com", "AWSServiceRoleForAmazonEKSForFargate", false),
    ("eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup", false),
    ("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS", false),
    ("elasticache.amazonaws.com", "AWSServiceRoleForElastiCache", false),
    ("elasticbeanstalk.amazonaws.com", "AWSServiceRoleForElasticBeanstalk", false),
    ("elasticfilesystem.amazonaws.com", "AWSServiceRoleForAmazonElasticFileSystem", false),
    ("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing", false),
    ("email.cognito-idp.amazonaws.com", "AWSServiceRoleForAmazonCognitoIdpEmailService", false),
    ("es.amazonaws.com", "AWSServiceRoleForAmazonElasticsearchService", false),
    ("events.amazonaws.com", "AWSServiceRoleForCloudWatchEvents", false),
    ("fms.amazonaws.com", "AWSServiceRoleForFMS", false),
    ("globalaccelerator.amazonaws.com", "AWSServiceRoleForGlobalAccelerator", false),
    ("guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDuty", false),
    ("inspector2.amazonaws.com", "AWSServiceRoleForAmazonInspector2", false),
    ("kafka.amazonaws.com", "AWSServiceRoleForKafka", false),
    ("lambda.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency", false),
    ("lex.amazonaws.com", "AWSServiceRoleForLexBots", false),
    ("lexv2.amazonaws.com", "AWSServiceRoleForLexV2Bots", true),
    ("logger.cloudfront.amazonaws.com", "AWSServiceRoleForCloudFrontLogger", false),
    ("macie.amazonaws.com", "AWSServiceRoleForAmazonMacie", false),
    ("memorydb.amazonaws.com", "AWSServiceRoleForMemoryDB", false),
    ("mq.amazonaws.com", "AWSServiceRoleForAmazonMQ", false),
    ("mrk.kms.amazonaws.com", "AWSServiceRoleForKeyManagementServiceMultiRegionKeys", false),
    ("opensearchservice.amazonaws.com", "AWSServiceRoleForAmazonOpenSearchService", false),
    ("ops.apigateway.amazonaws.com", "AWSServiceRoleForAPIGateway", false),
    ("organizations.amazonaws.com", "AWSServiceRoleForOrganizations", false),
    ("ram.amazonaws.com", "AWSServiceRoleForResourceAccessManager", false),
    ("rds.amazonaws.com", "AWSServiceRoleForRDS", false),
    ("rds.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_RDSCluster", false),
    ("redshift.amazonaws.com", "AWSServiceRoleForRedshift", false),
    ("replication.dynamodb.amazonaws.com", "AWSServiceRoleForDynamoDBReplication", false),
    ("replicator.lambda.amazonaws.com", "AWSServiceRoleForLambdaReplicator", false),
    ("rolesanywhere.amazonaws.com", "AWSServiceRoleForRolesAnywhere", false),
    ("securityhub.amazonaws.com", "AWSServiceRoleForSecurityHub", false),
    ("spot.amazonaws.com", "AWSServiceRoleForEC2Spot", false),
    ("spotfleet.amazonaws.com", "AWSServiceRoleForEC2SpotFleet", false),
    ("ssm.amazonaws.com", "AWSServiceRoleForAmazonSSM", false),
    ("sso.amazonaws.com", "AWSServiceRoleForSSO", false),
    ("support.amazonaws.com", "AWSServiceRoleForSupport", false),
    ("transitgateway.amazonaws.com", "AWSServiceRoleForVPCTransitGateway", false),
    ("trustedadvisor.amazonaws.com", "AWSServiceRoleForTrustedAdvisor", false),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::names::is_name;

    #[test]
    fn services_are_sorted_and_their_roles_have_names() {
        assert!(SERVICES.is_sorted_by_key(|it| it.0));
        for (service, name, _) in SERVICES {
            assert!(is_name(name) && name.len() <= 64, "{service}");
            assert_eq!(of_service(service).map(|it| it.name), Some(*name));
        }
        assert_eq!(of_service("ec2.amazonaws.com"), None);
    }
}
