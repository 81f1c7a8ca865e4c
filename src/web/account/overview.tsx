import { bytesText, countText } from "../format.ts";
import { Facts, Meter } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { AccountLayout } from "./layout.tsx";

/** What is in the account, and how much room it takes. */
export async function overviewPage(context: SiteContext, site: Site): Promise<Response> {
  const account = context.get("account");
  const mail = await site.store.openAccount(account.id);
  const { usedBytes, limitBytes, usedMessages } = await mail.quota();
  return context.html(
    <AccountLayout
      title="Overview"
      site={site.hostname}
      path={context.req.path}
      address={account.address}
    >
      <Facts
        facts={[
          ["Messages", countText(usedMessages)],
          [
            "Storage",
            limitBytes === undefined ? bytesText(usedBytes) : (
              <Meter
                label="Storage used"
                value={usedBytes}
                max={limitBytes}
                text={`${bytesText(usedBytes)} of ${bytesText(limitBytes)}`}
              />
            ),
          ],
        ]}
      />
    </AccountLayout>,
  );
}
