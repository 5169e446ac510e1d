// Roles, keys and sessions through the unmodified AWS SDK for JavaScript v3 and its credential providers.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";

import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as sm from "@aws-sdk/client-secrets-manager";
import * as sts from "@aws-sdk/client-sts";
import { fromIni, fromTemporaryCredentials } from "@aws-sdk/credential-providers";

import { startServer } from "./server.js";

const region = "us-test-3";
const policy = (...Statement) => JSON.stringify({ Version: "2012-10-17", Statement });
const allow = (Action, Resource) => ({ Effect: "Allow", Action, Resource });

describe("who may", () => {
  let server, folder, account, role, admin, closing;

  const client = (Client, credentials) => {
    const made = new Client({ region, endpoint: server.Endpoint, maxAttempts: 1, credentials });
    closing.push(made);
    return made;
  };
  const own = () => ({
    accessKeyId: server.AccessKeyId,
    secretAccessKey: server.SecretAccessKey,
  });

  before(async () => {
    closing = [];
    server = await startServer();
    folder = await mkdtemp(path.join(os.tmpdir(), "strongroom-profile-"));
    admin = Object.fromEntries(
      [iam.IAMClient, kms.KMSClient, sm.SecretsManagerClient, sts.STSClient].map((it) => [
        it.name,
        client(it, own()),
      ]),
    );
    const found = await admin.STSClient.send(new sts.GetCallerIdentityCommand({}));
    account = found.Account;
    const trusted = { Effect: "Allow", Principal: { AWS: account }, Action: "sts:AssumeRole" };
    const made = await admin.IAMClient.send(
      new iam.CreateRoleCommand({ RoleName: "app", AssumeRolePolicyDocument: policy(trusted) }),
    );
    role = made.Role.Arn;
  });
  after(async () => {
    closing.forEach((it) => it.destroy());
    await server.stop();
    await rm(folder, { recursive: true });
  });

  it("reads as a role what both locks let it read, and nothing else", async () => {
    const key = await admin.KMSClient.send(new kms.CreateKeyCommand({ Description: "app's" }));
    const KeyId = key.KeyMetadata.Arn;
    const { ARN: SecretId } = await admin.SecretsManagerClient.send(
      new sm.CreateSecretCommand({ Name: "app/db", SecretString: "one", KmsKeyId: KeyId }),
    );
    const clientConfig = { region, endpoint: server.Endpoint };
    const params = { RoleArn: role, RoleSessionName: "js" };
    const credentials = fromTemporaryCredentials({
      params,
      clientConfig,
      masterCredentials: own(),
    });
    const app = client(sm.SecretsManagerClient, credentials);
    const read = () => app.send(new sm.GetSecretValueCommand({ SecretId }));
    const grant = (PolicyName, ...statements) =>
      admin.IAMClient.send(
        new iam.PutRolePolicyCommand({
          RoleName: "app",
          PolicyName,
          PolicyDocument: policy(...statements),
        }),
      );

    await assert.rejects(read(), { name: "AccessDeniedException", message: /no identity-based/ });
    await grant("read", allow("secretsmanager:GetSecretValue", SecretId));
    await assert.rejects(read(), { message: "Access to KMS is not allowed" });
    await grant("open", allow("kms:Decrypt", KeyId));
    assert.equal((await read()).SecretString, "one");
    await assert.rejects(app.send(new sm.ListSecretsCommand({})), { name: "AccessDeniedException" });

    await admin.IAMClient.send(new iam.DeleteRolePolicyCommand({ RoleName: "app", PolicyName: "open" }));
    await assert.rejects(read(), { message: "Access to KMS is not allowed" });
  });

  it("becomes the role of a profile", async () => {
    const { accessKeyId, secretAccessKey } = own();
    const lines = [
      "[base]",
      `aws_access_key_id = ${accessKeyId}`,
      `aws_secret_access_key = ${secretAccessKey}`,
      "[app]",
      `role_arn = ${role}`,
      "source_profile = base",
      "role_session_name = from-profile",
    ];
    const filepath = path.join(folder, "credentials");
    await writeFile(filepath, lines.join("\n"));
    const clientConfig = { region, endpoint: server.Endpoint };
    const configFilepath = path.join(folder, "config");
    await writeFile(configFilepath, "");
    const provided = fromIni({ profile: "app", filepath, configFilepath, clientConfig });
    const found = await client(sts.STSClient, provided).send(new sts.GetCallerIdentityCommand({}));
    assert.equal(found.Arn, `arn:aws:sts::${account}:assumed-role/app/from-profile`);
  });

  it("tells errors as the SDK's classes", async () => {
    await assert.rejects(
      admin.IAMClient.send(new iam.GetRoleCommand({ RoleName: "none" })),
      iam.NoSuchEntityException,
    );
    await assert.rejects(
      admin.KMSClient.send(new kms.DescribeKeyCommand({ KeyId: "alias/none" })),
      kms.NotFoundException,
    );
    const PolicyDocument = "{";
    await assert.rejects(
      admin.IAMClient.send(
        new iam.PutRolePolicyCommand({ RoleName: "app", PolicyName: "bad", PolicyDocument }),
      ),
      iam.MalformedPolicyDocumentException,
    );
  });
});
