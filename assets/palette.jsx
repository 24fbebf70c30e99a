// The command palette, and the list of shortcuts.
import { useEffect, useId, useRef, useState } from "react";
import { Command } from "cmdk";
import { areSingleKeysOff, switchSingleKeys } from "$/public/keyboard.jsx";

// How long typing must pause before the server is asked.
const PAUSE_MS = 150;

const Dialog = ({ label, name, close, className, children }) => {
  const element = useRef(null);
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog.showModal();
    dialog.querySelector("[data-focus]").focus();
    return () => {
      dialog.close();
      if (document.activeElement === document.body) before?.focus?.();
    };
  }, []);
  const closeOutside = (event) => event.target === element.current && close();
  return (
    <dialog
      ref={element}
      aria-label={label}
      className={className}
      data-testid={name}
      onClose={close}
      onCancel={close}
      onMouseDown={closeOutside}
    >
      {children}
    </dialog>
  );
};

/** Finds commands by parts of their names, and what the server finds. */
export const Palette = ({ commands, looks, close, run, hits, searched, onSearch }) => {
  const [text, setText] = useState("");
  const [selected, setSelected] = useState("");
  const asked = text.trim();
  useEffect(() => {
    const timer = setTimeout(() => onSearch(asked), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [asked]);
  const found = asked && asked === searched ? hits : [];
  // The list selects its first command by itself, but not what the server finds later.
  useEffect(() => {
    if (found.length && !document.querySelector("[cmdk-item][data-selected=true]")) setSelected(found[0].to);
  }, [found]);
  return (
    <Dialog label="Command palette" name="palette" close={close} className={looks.palette}>
      <Command label="Command palette" loop value={selected} onValueChange={setSelected}>
        <Command.Input
          data-focus=""
          value={text}
          onValueChange={setText}
          placeholder="Search products, imports and commands…"
          className={looks.input}
          data-testid="palette-input"
        />
        <Command.List className={looks.list} aria-label="Results">
          {found.length === 0 && (
            <Command.Empty className={looks.empty}>
              {asked && asked !== searched ? "Searching…" : "Nothing found. Try another part of the name or the SKU."}
            </Command.Empty>
          )}
          {grouped(commands.filter(({ group }) => group)).map(([group, members]) => (
            <Group key={group} name={group} looks={looks}>
              {members.map((command) => (
                <Command.Item
                  key={command.name}
                  value={command.name}
                  keywords={command.words}
                  onSelect={() => run(command)}
                  className={looks.item}
                  data-testid="palette-command"
                >
                  <span className={looks.name}>{command.name}</span>
                  <Keys keys={command.keys} looks={looks} />
                </Command.Item>
              ))}
            </Group>
          ))}
          {grouped(found).map(([group, members]) => (
            <Group key={group} name={group} looks={looks} forceMount>
              {members.map((hit) => (
                <Command.Item
                  key={hit.to}
                  value={hit.to}
                  forceMount
                  onSelect={() => run(hit)}
                  className={looks.item}
                  data-testid="palette-hit"
                >
                  <span className={looks.name}>{hit.name}</span>
                  <span className={looks.note}>{hit.note}</span>
                </Command.Item>
              ))}
            </Group>
          ))}
        </Command.List>
      </Command>
    </Dialog>
  );
};

const Group = ({ name, looks, ...props }) => (
  <Command.Group heading={<span className={looks.heading}>{name}</span>} {...props} />
);

/** Lists the shortcuts, and switches those of single keys off. */
export const Shortcuts = ({ commands, looks, close }) => {
  const [isOn, setOn] = useState(!areSingleKeysOff());
  const id = useId();
  const change = (event) => {
    switchSingleKeys(event.target.checked);
    setOn(event.target.checked);
  };
  return (
    <Dialog label="Keyboard shortcuts" name="shortcuts" close={close} className={looks.dialog}>
      <h2 className={looks.title}>Keyboard shortcuts</h2>
      <dl className={looks.shortcuts}>
        {commands
          .filter(({ keys }) => keys)
          .map(({ name, keys }) => (
            <div key={name} className={looks.shortcut}>
              <dt>{name}</dt>
              <dd>
                <Keys keys={keys} looks={looks} />
              </dd>
            </div>
          ))}
      </dl>
      <label htmlFor={id} className={looks.check}>
        <input id={id} type="checkbox" checked={isOn} onChange={change} className={looks.box} data-testid="single-keys" />
        Shortcuts of single keys, such as n
      </label>
      <div className={looks.bar}>
        <button type="button" data-focus="" onClick={close} className={looks.button} data-testid="shortcuts-close">
          Close
        </button>
      </div>
    </Dialog>
  );
};

const Keys = ({ keys, looks }) =>
  keys ? (
    <span className={looks.keys}>
      {keys.split(" ").map((key, index) => (
        <kbd key={index} className={looks.key}>
          {key}
        </kbd>
      ))}
    </span>
  ) : null;

const grouped = (members) =>
  Object.entries(
    members.reduce((groups, one) => ({ ...groups, [one.group]: [...(groups[one.group] ?? []), one] }), {}),
  );
