-- MOBOTIX (1), 5 distributors (2–6), 80 installers of each (7–406), 125 end customers of each installer (407–50406).
-- Everybody has one contact, whose number is the account's.
INSERT INTO accounts_account (id, account_id, name, name_key, tier, visible_to_partners, city, country, status)
SELECT n, 'K' || lpad(n::text, 7, '0'), name, lower(name),
  CASE WHEN n = 1 THEN 'mobotix' WHEN n <= 6 THEN 'distributor' WHEN n <= 406 THEN 'installer' ELSE 'end_customer' END,
  mod(n, 3) = 0, town, 'DE', 'active'
FROM (
  SELECT n, town, CASE
    WHEN n = 1 THEN 'MOBOTIX AG'
    WHEN n <= 6 THEN (ARRAY['Nordlicht', 'Südwind', 'Ostsee', 'Westfalia', 'Alpen'])[n - 1] || ' Distribution'
    WHEN n <= 406 THEN town || ' ' || (ARRAY['Alarm', 'Security', 'Video', 'Technik', 'Elektro'])[1 + mod(n, 5)] || ' ' || n
    ELSE (ARRAY['City Hospital', 'Stadtwerke', 'Airport', 'Museum', 'Logistics', 'Parking', 'Bank', 'Hotel', 'School', 'Rathaus',
      'Winery', 'Harbour', 'Stadium', 'Library', 'Brewery', 'Clinic', 'Theatre', 'Market', 'Station', 'Foundry'])
      [1 + mod(abs(hashint4(n)), 20)] || ' ' || town || ' ' || substr(md5(n::text), 1, 4)
    END AS name
  FROM generate_series(1, 50406) AS n, LATERAL (SELECT (ARRAY['Kaiserslautern', 'Langmeil', 'Berlin', 'Hamburg', 'München', 'Köln',
    'Wien', 'Zürich', 'Paris', 'Lyon', 'Madrid', 'Milano', 'London', 'Leeds', 'Oslo', 'Praha', 'Warszawa', 'Gdańsk', 'Athína', 'Porto'])
    [1 + mod(abs(hashint4(-n)), 20)] AS town) AS place
) AS named
-- ;;
INSERT INTO accounts_user (id, account_id, password, first_name, last_name, email, email_key, language, time_zone, status)
SELECT id, id, '!', (ARRAY['Anna', 'Bert', 'Carla', 'Dirk', 'Elif', 'Femi', 'Gina', 'Hugo'])[1 + mod(id, 8)], 'Person' || id,
  'person' || id || '@customers.example', 'person' || id || '@customers.example', 'en', 'Europe/Berlin', 'active'
FROM accounts_account
-- ;;
INSERT INTO accounts_sellingrelation (seller_id, buyer_id, status, decided_at)
SELECT CASE WHEN id <= 6 THEN 1 WHEN id <= 406 THEN 2 + (id - 7) / 80 ELSE 7 + (id - 407) / 125 END, id, 'accepted', now()
FROM accounts_account WHERE id > 1
-- ;;
INSERT INTO entitlements_product (id, part_number, name_en, name_de, license_model, unit, is_active)
SELECT n, 'Mx-S-' || lpad(n::text, 4, '0'), 'Video Analytics ' || n, 'Videoanalyse ' || n,
  CASE WHEN mod(n, 3) = 0 THEN 'term' ELSE 'perpetual' END, 'license', true
FROM generate_series(1, 120) AS n
-- ;;
-- An order has two lines. Each line goes from MOBOTIX to a distributor (place 0), in three parts to installers (1–3), and of
-- each of these in two parts to an end customer (4–9). Nine orders of forty, 225,000 of a million items, are the first
-- distributor's; of the parts of these, 24,000 items are the first installer's.
CREATE TEMP TABLE shape AS
SELECT line * 10 + place + 1 AS id, line * 10 + 1 AS root, line * 10 + 2 + part AS installed, o * 10 + place + 1 AS entitlement,
  o, line, place, distributor, installer, 407 + (installer - 7) * 125 + mod(abs(hashint4(o * 30 + part)), 125) AS customer
FROM (
  SELECT o, line, place, part, distributor, 7 + (distributor - 2) * 80 + CASE
    WHEN distributor > 2 THEN mod(abs(hashint4(o * 3 + part)), 80)
    WHEN part = 0 AND (first + 1) * 4000 / 11250 > first * 4000 / 11250 THEN 0
    ELSE 1 + mod(abs(hashint4(o * 3 + part)), 79) END AS installer
  FROM generate_series(0, %(orders)s - 1) AS o, generate_series(o * 2, o * 2 + 1) AS line, generate_series(0, 9) AS place,
    LATERAL (SELECT CASE WHEN place < 4 THEN greatest(place - 1, 0) ELSE (place - 4) / 2 END AS part,
      CASE WHEN mod(o, 40) < 9 THEN 2 ELSE 3 + mod(o, 4) END AS distributor, o / 40 * 9 + mod(o, 40) AS first) AS place_in_order
) AS parts
-- ;;
CREATE TEMP TABLE parties AS
SELECT shape.*, CASE WHEN place = 0 THEN 1 WHEN place < 4 THEN distributor ELSE installer END AS seller,
  CASE WHEN place = 0 THEN distributor WHEN place < 4 THEN installer ELSE customer END AS owner,
  now() - (%(orders)s - o) * interval '20 minutes' AS at
FROM shape
-- ;;
INSERT INTO entitlements_entitlement
  (id, entitlement_id, seller_id, owner_id, order_number, order_date, created_by_id, created_at)
SELECT entitlement, 'E-' || upper(substr(md5(entitlement::text), 1, 5) || '-' || lpad(to_hex(entitlement), 5, '0')), seller, owner,
  CASE WHEN mod(o, 5) = 0 THEN '' ELSE 'PO-' || 4500000 + o || '-' || place END, at::date,
  seller, at
FROM parties WHERE mod(line, 2) = 0
-- ;;
INSERT INTO entitlements_lineitem
  (id, activation_id, activation_id_end, entitlement_id, product_id, quantity, available, split, activated, ledger_position,
   starts_on, expires_on, state, owner_id, seller_id, serving_account_id, contact_id, parent_id,
   distributor_id, installer_id, end_customer_id, verification_code, created_by_id, created_at)
SELECT id, groups || '-' || last, lower(last), entitlement, product, available + split, available, split, 0, id,
  at::date, CASE WHEN mod(product, 3) = 0 THEN at::date + 365 * (1 + mod(line, 4)) ELSE '9999-12-31' END,
  CASE WHEN place < 4 THEN 'deployed' WHEN mod(line, 50) = 7 THEN 'inactive' WHEN mod(line, 50) = 8 THEN 'obsolete' ELSE 'deployed' END,
  owner, seller, CASE WHEN place > 3 THEN installer END, owner, CASE WHEN place > 3 THEN installed WHEN place > 0 THEN root END,
  distributor, CASE WHEN place > 0 THEN installer END, CASE WHEN place > 3 THEN customer END,
  substr(md5('i' || id), 1, 22), seller, at
FROM parties, LATERAL (
  SELECT 1 + mod(abs(hashint4(line)), 120) AS product, regexp_replace(upper(substr(md5('a' || id), 1, 24)), '(....)(?=.)', '\1-', 'g') AS groups,
    (SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + (hashint4(id) >> bit & 31), 1), '')
      FROM unnest(ARRAY[0, 5, 10, 15]) AS bit) AS last,
    CASE WHEN place = 0 THEN 10 + mod(line, 90) WHEN place < 4 THEN mod(line, 5) ELSE 1 + mod(line, 10) END AS available,
    CASE WHEN place = 0 THEN 3 * (2 * (1 + mod(line, 10)) + mod(line, 5)) WHEN place < 4 THEN 2 * (1 + mod(line, 10)) ELSE 0 END AS split
) AS made
-- ;;
INSERT INTO entitlements_movement (id, kind, item_id, parent_id, copies, actor_id, created_at)
SELECT id, CASE WHEN parent_id IS NULL THEN 'issue' ELSE 'split' END, id, parent_id, quantity, seller_id, created_at
FROM entitlements_lineitem
-- ;;
DROP TABLE shape, parties
