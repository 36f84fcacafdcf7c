/** Chooses the period of the usage, and what its charts are divided by. */
import { useState } from 'preact/hooks';
import { dayOf } from '../../../../../contracts/time.ts';
import { GROUPINGS, type Grouping } from './groupings.ts';
import { faultOf, type Period, PRESETS, type Preset } from './period.ts';
import { grouping, period, seesAll } from './usage-query.ts';

/** The period, and what the charts are divided by. A key that sees one user's use has no others to compare. */
export function PeriodPicker() {
  const today = dayOf(Date.now());
  const [isCustom, setCustom] = useState(presetOf(period.value, today) === null);
  const preset = isCustom ? 'custom' : (presetOf(period.value, today) ?? 'custom');
  const choose = (value: string) => {
    setCustom(value === 'custom');
    if (value !== 'custom') period.value = PRESETS[value as Preset].of(today);
  };
  const groupings = Object.entries(GROUPINGS).filter(
    ([by]) => seesAll.value || ['none', 'model', 'prompt'].includes(by),
  );
  return (
    <div class="filters">
      <div class="field">
        <label for="period">Period</label>
        <select id="period" value={preset} onChange={(event) => choose(event.currentTarget.value)}>
          {Object.entries(PRESETS).map(([key, { name }]) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
          <option value="custom">Other days</option>
        </select>
      </div>
      {isCustom && <CustomPeriod today={today} />}
      <div class="field">
        <label for="grouping">Divided by</label>
        <select
          id="grouping"
          value={grouping.value}
          onChange={(event) => {
            grouping.value = event.currentTarget.value as Grouping;
          }}
        >
          {groupings.map(([by, name]) => (
            <option key={by} value={by}>
              {name}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

/** A period that cannot be shown stays in the fields, with what is wrong; the charts keep the last good one. */
function CustomPeriod({ today }: { today: string }) {
  const [days, setDays] = useState<Period>(period.value);
  const fault = faultOf(days, today);
  const set = (next: Period) => {
    setDays(next);
    if (faultOf(next, today) === null) period.value = next;
  };
  return (
    <>
      <DayField
        id="from"
        label="First day (UTC)"
        max={today}
        isFaulty={fault !== null}
        day={days.from}
        onDay={(from) => set({ ...days, from })}
      />
      <DayField
        id="until"
        label="Last day (UTC)"
        max={today}
        isFaulty={fault !== null}
        day={days.until}
        onDay={(until) => set({ ...days, until })}
      />
      <p class="fault" id="period-fault" role="alert">
        {fault}
      </p>
    </>
  );
}

function presetOf({ from, until }: Period, today: string): Preset | null {
  const matching = Object.entries(PRESETS).find(([, { of }]) => {
    const preset = of(today);
    return preset.from === from && preset.until === until;
  });
  return matching === undefined ? null : (matching[0] as Preset);
}

interface DayFieldProperties {
  readonly id: string;
  readonly label: string;
  readonly day: string;
  readonly max: string;
  readonly isFaulty: boolean;
  readonly onDay: (day: string) => void;
}

function DayField({ id, label, day, max, isFaulty, onDay }: DayFieldProperties) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="date"
        max={max}
        value={day}
        aria-invalid={isFaulty}
        aria-describedby="period-fault"
        onChange={(event) => onDay(event.currentTarget.value)}
      />
    </div>
  );
}
