// The life of a secret through the unmodified AWS SDK for JavaScript v3, over HTTP and TLS.

import assert from "node:assert/strict";
import https from "node:https";
import { after, before, describe, it } from "node:test";

import * as sm from "@aws-sdk/client-secrets-manager";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

import { startServer } from "./server.js";

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

for (const [door, region] of [
  ["http", "us-test-1"],
  ["tls", "us-test-2"],
]) {
  describe(`over ${door}`, () => {
    let client;
    const send = (Command, members) => client.send(new Command(members));
    const options = () => ({
      region,
      endpoint: door === "tls" ? server.TlsEndpoint : server.Endpoint,
      maxAttempts: 1,
      credentials: { accessKeyId: server.AccessKeyId, secretAccessKey: server.SecretAccessKey },
      ...(door === "tls" && { requestHandler: { httpsAgent: new https.Agent({ ca: server.ca }) } }),
    });

    before(() => {
      client = new sm.SecretsManagerClient(options());
    });
    after(() => client.destroy());

    it("tells who asks", async () => {
      const sts = new STSClient(options());
      const found = await sts.send(new GetCallerIdentityCommand({}));
      assert.match(found.Arn, new RegExp(`^arn:aws:iam::${found.Account}:user/admin$`));
      sts.destroy();
    });

    it("keeps a secret from its creation to its end", async () => {
      const made = await send(sm.CreateSecretCommand, { Name: "app/db", SecretString: "one" });
      for (const SecretId of ["app/db", made.ARN, made.ARN.slice(0, -7)]) {
        const found = await send(sm.GetSecretValueCommand, { SecretId });
        assert.equal(found.SecretString, "one");
        assert.ok(found.CreatedDate instanceof Date);
      }
      const SecretId = made.ARN;
      const second = await send(sm.PutSecretValueCommand, { SecretId, SecretString: "two" });
      assert.deepEqual(second.VersionStages, ["AWSCURRENT"]);
      await send(sm.UpdateSecretVersionStageCommand, {
        SecretId,
        VersionStage: "AWSCURRENT",
        MoveToVersionId: made.VersionId,
        RemoveFromVersionId: second.VersionId,
      });
      const previous = { SecretId, VersionStage: "AWSPREVIOUS" };
      assert.equal((await send(sm.GetSecretValueCommand, previous)).SecretString, "two");

      const SecretBinary = new Uint8Array([0, 1, 255]);
      await send(sm.UpdateSecretCommand, { SecretId, SecretBinary });
      const found = await send(sm.GetSecretValueCommand, { SecretId });
      assert.deepEqual([...found.SecretBinary], [0, 1, 255]);
      const versions = { SecretId, IncludeDeprecated: true };
      assert.equal((await send(sm.ListSecretVersionIdsCommand, versions)).Versions.length, 3);

      const Tags = [{ Key: "team", Value: "x" }];
      await send(sm.TagResourceCommand, { SecretId, Tags });
      assert.deepEqual((await send(sm.DescribeSecretCommand, { SecretId })).Tags, Tags);
      await send(sm.UntagResourceCommand, { SecretId, TagKeys: ["team"] });

      await send(sm.DeleteSecretCommand, { SecretId, RecoveryWindowInDays: 7 });
      await assert.rejects(send(sm.GetSecretValueCommand, { SecretId }), sm.InvalidRequestException);
      await send(sm.RestoreSecretCommand, { SecretId });
      await send(sm.GetSecretValueCommand, { SecretId });
      await send(sm.DeleteSecretCommand, { SecretId, ForceDeleteWithoutRecovery: true });
      await assert.rejects(
        send(sm.DescribeSecretCommand, { SecretId }),
        sm.ResourceNotFoundException,
      );
    });

    it("lists by pages and filters, and reads batches", async () => {
      for (const n of [1, 2, 3, 4, 5]) {
        await send(sm.CreateSecretCommand, { Name: `list/${n}`, SecretString: String(n) });
      }
      const Filters = [{ Key: "name", Values: ["list/"] }];
      const names = [];
      for await (const page of sm.paginateListSecrets({ client, pageSize: 2 }, { Filters })) {
        names.push(...page.SecretList.map((it) => it.Name));
      }
      assert.deepEqual(names.sort(), [1, 2, 3, 4, 5].map((n) => `list/${n}`));
      const SecretIdList = ["list/1", "list/none"];
      const batch = await send(sm.BatchGetSecretValueCommand, { SecretIdList });
      assert.deepEqual(batch.SecretValues.map((it) => it.SecretString), ["1"]);
      assert.deepEqual(batch.Errors.map((it) => it.ErrorCode), ["ResourceNotFoundException"]);
    });

    it("keeps a resource policy", async () => {
      const made = await send(sm.CreateSecretCommand, { Name: "with/policy", SecretString: "x" });
      const SecretId = made.ARN;
      const Statement = [
        {
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${SecretId.split(":")[4]}:root` },
          Action: "secretsmanager:GetSecretValue",
          Resource: "*",
        },
      ];
      const ResourcePolicy = JSON.stringify({ Version: "2012-10-17", Statement });
      const checked = await send(sm.ValidateResourcePolicyCommand, { ResourcePolicy });
      assert.equal(checked.PolicyValidationPassed, true);
      await send(sm.PutResourcePolicyCommand, { SecretId, ResourcePolicy });
      const found = await send(sm.GetResourcePolicyCommand, { SecretId });
      assert.deepEqual(JSON.parse(found.ResourcePolicy).Statement, Statement);
      await send(sm.DeleteResourcePolicyCommand, { SecretId });
      assert.equal((await send(sm.GetResourcePolicyCommand, { SecretId })).ResourcePolicy, undefined);
    });
  });
}
