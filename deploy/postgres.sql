-- Run once by the image of PostgreSQL, on a new volume: makes the role that the application connects as. It is no
-- superuser and owns its database. The superuser gets no password: he can be reached in the container only.
\getenv password APPLICATION_PASSWORD
CREATE ROLE product_importer LOGIN PASSWORD :'password';
CREATE DATABASE product_importer OWNER product_importer;
ALTER ROLE postgres PASSWORD NULL;
