import { ROOMS } from "../../base/mod.ts";
import { doneText, readForm, redirectDone } from "../forms.ts";
import { bytesText, durationText, timeText } from "../format.ts";
import { type HostLogLevel, LOG_LEVELS } from "../host.ts";
import { Action, Choice, Facts, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/admin/server";
const DONE = { level: "The log level was changed, until the server starts again." };

/** What the program is, how much it logs, and what it was told. */
export async function serverPage(
  context: SiteContext,
  site: Site,
  problem?: string,
): Promise<Response> {
  const status = await site.host.status();
  const { level, rooms } = site.host.logLevels();
  return await showPage(
    context,
    site,
    { title: "Server", path: PATH, done: doneText(context, DONE), problem },
    <>
      <Facts
        facts={[
          ["Postern", status.version],
          ["Deno", status.deno],
          ["SQLite", status.sqlite],
          ["Host name", status.hostname],
          ["Process", String(status.processId)],
          [
            "Running since",
            `${timeText(status.startedMs)}, ${durationText(site.clock.now() - status.startedMs)}`,
          ],
          ["Memory", bytesText(status.memoryBytes)],
        ]}
      />
      <h2>Log level</h2>
      <p>
        What is changed here holds until the server starts again. More than <em>info</em>{" "}
        writes much, and may tell of people's mail.
      </p>
      <div class="cards">
        <form method="post" action={`${PATH}/log-level`} class="card">
          <h3>Everywhere</h3>
          <Choice
            label="Common level"
            name="level"
            options={LOG_LEVELS.map((each) => [each, each])}
            value={level}
          />
          <button type="submit">Change the level</button>
        </form>
        <form method="post" action={`${PATH}/log-level`} class="card">
          <h3>In one room of the program</h3>
          <Choice
            label="Room"
            name="room"
            options={ROOMS.map((room) => [room, room])}
            value="session"
          />
          <Choice
            label="Level there"
            name="room-level"
            options={LOG_LEVELS.map((each) => [each, each])}
            value="debug"
          />
          <button type="submit">Change the room's level</button>
        </form>
      </div>
      {rooms.size > 0 && (
        <Table
          caption="Rooms with a level of their own"
          columns={["Room", "Level", ""]}
          rows={[...rooms].map(([room, own]) => [
            room,
            own,
            <Action
              action={`${PATH}/log-level`}
              text="As the others"
              label={`As the others: ${room}`}
              fields={{ room, "room-level": "" }}
            />,
          ])}
          empty=""
        />
      )}
      {site.configuration !== undefined && (
        <>
          <h2>Configuration</h2>
          <p>
            As it was when the server started, defaults filled in and secrets hidden.
          </p>
          <pre tabindex={0} aria-label="Configuration">{site.configuration}</pre>
        </>
      )}
    </>,
  );
}

/** Changes the level of all rooms or of one. */
export async function changeLogLevel(context: SiteContext, site: Site): Promise<Response> {
  const form = await readForm(context);
  const room = form.text("room");
  const text = form.text(room === "" ? "level" : "room-level");
  const level = LOG_LEVELS.find((each) => each === text);
  const isBack = room !== "" && text === "";
  if ((level === undefined && !isBack) || !isRoom(room)) {
    return await serverPage(context, site, "There is no such level or room.");
  }
  await site.host.setLogLevel(level satisfies HostLogLevel | undefined, room || undefined);
  return redirectDone(context, PATH, "level");
}

function isRoom(room: string): boolean {
  return room === "" || ROOMS.some((each) => each === room);
}
